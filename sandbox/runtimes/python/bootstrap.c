#include "sandbox/runtimes/python/bootstrap.h"

/* The path is relative to the top of the checkout, where make runs the compiler. */
__asm__(".section .rodata\n"
	".global bootstrap_text\n"
	".type bootstrap_text, @object\n"
	"bootstrap_text:\n"
	".incbin \"sandbox/runtimes/python/bootstrap.py\"\n"
	".byte 0\n"
	".size bootstrap_text, . - bootstrap_text\n"
	".previous\n");
