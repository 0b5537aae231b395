/* SPDX-License-Identifier: MIT */
/* hang - a program that does nothing, for ever, whatever its options are. */
#include <unistd.h>

int main(void)
{
	for (;;)
		pause();
}
