// SPDX-License-Identifier: GPL-2.0-only
/* uio-late-release: texts that come from users, for a terminal and in JSON. */

#include <stdint.h>
#include <stdio.h>

#include "tool.h"

/*
 * The character of UTF-8 at the start of the text, and its length; 0: it is none. Names come
 * from users: they can have any bytes.
 */
static int utf8(const unsigned char *text, uint32_t *code)
{
	int len = *text < 0x80 ? 1 : *text < 0xe0 ? 2 : *text < 0xf0 ? 3 : 4;
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	int i;

	*code = len == 1 ? *text : *text & (0x7f >> len);
	for (i = 1; i < len; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (text[i] & 0x3f);
	}
	if (len > 1 && (*text < 0xc0 || *text > 0xf4))
		return 0;
	if (*code < least[len] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000))
		return 0;
	return len;
}

/* It could change the terminal. */
static bool is_control(uint32_t code)
{
	return code < ' ' || (code >= 0x7f && code < 0xa0);
}

void print_clean(const char *text, int width)
{
	const unsigned char *at = (const unsigned char *)text;
	int columns = 0, len;
	uint32_t code;

	while (*at) {
		len = utf8(at, &code);
		if (!len || is_control(code)) {
			columns += printf("\\%03o", *at++);
			continue;
		}
		printf("%.*s", len, at);
		at += len;
		columns++;
	}
	while (columns < width)
		columns += printf(" ");
}

void json_text(const char *key, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	uint32_t code;
	int len;

	printf("\"%s\": ", key);
	if (!text) {
		printf("null");
		return;
	}
	printf("\"");
	for (; *at; at += len ? len : 1) {
		len = utf8(at, &code);
		if (!len)
			printf("\\ufffd");
		else if (is_control(code) || code == '"' || code == '\\')
			printf("\\u%04x", code);
		else
			printf("%.*s", len, at);
	}
	printf("\"");
}
