/* SPDX-License-Identifier: MIT */
/* no-plugin - a shared object that is something else. */
extern const int something_else;
__attribute__((visibility("default"))) const int something_else = 1;
