/* SPDX-License-Identifier: MIT */
/*
 * plugin_elf.c - is this a complete shared object for this machine?
 *
 * The dynamic linker maps what the headers promise and does not look whether
 * the file has it: of a file that was cut short, the first access behind its end
 * is a SIGBUS.  The section headers, which no linker needs at run time, stand at
 * the end of the file, so that they are there says that nothing was cut.
 */
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>

#include "plugin_private.h"

#define CUT "the file is cut short or damaged: install it again"

/* The header of the running program, put there by the linker: the one machine
 * that a plugin can be for. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

struct image {
	const char *bytes;
	size_t len;
};

static bool has(const struct image *image, uint64_t offset, uint64_t len)
{
	return offset <= image->len && len <= image->len - offset;
}

/* Entry `i` of a table that has been checked; the file's offsets need not be aligned. */
static void entry(const struct image *image, uint64_t table, size_t i, void *ret, size_t size)
{
	memcpy(ret, image->bytes + table + i * size, size);
}

static int check_header(const struct image *image, ElfW(Ehdr) * ret, struct reason *reason)
{
	ElfW(Ehdr) header;

	if (image->len < SELFMAG || memcmp(image->bytes, ELFMAG, SELFMAG) != 0)
		return refuse(reason, -ENOEXEC, "not a shared object");
	if (image->len < sizeof(header))
		return refuse(reason, -ENOEXEC, CUT);
	memcpy(&header, image->bytes, sizeof(header));
	if (header.e_ident[EI_CLASS] != __ehdr_start.e_ident[EI_CLASS] ||
	    header.e_ident[EI_DATA] != __ehdr_start.e_ident[EI_DATA] ||
	    header.e_machine != __ehdr_start.e_machine)
		return refuse(reason, -ENOEXEC, "made for another kind of machine");
	if (header.e_type != ET_DYN)
		return refuse(reason, -ENOEXEC, "an ELF file, but not a shared object");
	if (header.e_phentsize != sizeof(ElfW(Phdr)) || header.e_phnum == 0 ||
	    !has(image, header.e_phoff, (uint64_t)header.e_phnum * sizeof(ElfW(Phdr))))
		return refuse(reason, -ENOEXEC, CUT);
	*ret = header;
	return 0;
}

/* A file that lost its middle has zeros there: a dynamic section without its
 * end, its symbols or their names would crash the dynamic linker. */
static bool is_dynamic(const struct image *image, const ElfW(Phdr) * segment)
{
	bool names = false, symbols = false;

	for (size_t i = 0; i < segment->p_filesz / sizeof(ElfW(Dyn)); i++) {
		ElfW(Dyn) item;

		entry(image, segment->p_offset, i, &item, sizeof(item));
		if (item.d_tag == DT_NULL)
			return names && symbols;
		names = names || item.d_tag == DT_STRTAB;
		symbols = symbols || item.d_tag == DT_SYMTAB;
	}
	return false;
}

static int check_segments(const struct image *image, const ElfW(Ehdr) * header,
			  struct reason *reason)
{
	unsigned int loads = 0, dynamics = 0;

	for (size_t i = 0; i < header->e_phnum; i++) {
		ElfW(Phdr) segment;

		entry(image, header->e_phoff, i, &segment, sizeof(segment));
		if (segment.p_type != PT_LOAD && segment.p_type != PT_DYNAMIC)
			continue;
		if (!has(image, segment.p_offset, segment.p_filesz) ||
		    segment.p_filesz > segment.p_memsz)
			return refuse(reason, -ENOEXEC, CUT);
		if (segment.p_type == PT_LOAD) {
			loads++;
			continue;
		}
		dynamics++;
		if (!is_dynamic(image, &segment))
			return refuse(reason, -ENOEXEC, CUT);
	}
	if (loads == 0 || dynamics != 1)
		return refuse(reason, -ENOEXEC, CUT);
	return 0;
}

static int check_sections(const struct image *image, const ElfW(Ehdr) * header,
			  struct reason *reason)
{
	ElfW(Shdr) names;

	if (header->e_shoff == 0)
		return 0; /* stripped of them: legal, and nothing to hold on to */
	if (header->e_shentsize != sizeof(names) || header->e_shstrndx >= header->e_shnum ||
	    !has(image, header->e_shoff, (uint64_t)header->e_shnum * sizeof(names)))
		return refuse(reason, -ENOEXEC, CUT);
	entry(image, header->e_shoff, header->e_shstrndx, &names, sizeof(names));
	if (names.sh_type != SHT_STRTAB || !has(image, names.sh_offset, names.sh_size))
		return refuse(reason, -ENOEXEC, CUT);
	return 0;
}

int elf_check(const void *bytes, size_t len, struct reason *reason)
{
	struct image image = { bytes, len };
	ElfW(Ehdr) header = { .e_phnum = 0 };
	int r;

	r = check_header(&image, &header, reason);
	if (r < 0)
		return r;
	r = check_segments(&image, &header, reason);
	if (r < 0)
		return r;
	return check_sections(&image, &header, reason);
}
