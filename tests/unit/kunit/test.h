/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of KUnit that the tests in tests/kunit use, to run them in user space.  The
 * result is TAP, a line for each case.
 */
#ifndef UNIT_KUNIT_TEST_H
#define UNIT_KUNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>

#include "../../fuzz/shim/kernel.h"

#define KUNIT_PARAM_DESC_SIZE	128
#define KUNIT_MAX_ALLOCS	256

struct kunit {
	const void *param_value;
	const char *name;
	char desc[KUNIT_PARAM_DESC_SIZE];
	bool failed;
	jmp_buf end;
	void *alloc[KUNIT_MAX_ALLOCS];
	unsigned int nr_allocs;
};

struct kunit_case {
	void (*run)(struct kunit *test);
	const char *name;
	const void *(*generate)(const void *prev, char *desc);
};

struct kunit_suite {
	const char *name;
	struct kunit_case *test_cases;
};

#define KUNIT_CASE(fn)			{ .run = (fn), .name = #fn }
#define KUNIT_CASE_PARAM(fn, gen)	{ .run = (fn), .name = #fn, .generate = (gen) }

#define KUNIT_ARRAY_PARAM(what, array, describe)					\
	static const void *what##_gen_params(const void *prev, char *desc)		\
	{										\
		typeof(&(array)[0]) next = prev ? (typeof(next))prev + 1 : (array);	\
											\
		if (next == (array) + ARRAY_SIZE(array))				\
			return NULL;							\
		describe(next, desc);							\
		return next;								\
	}

static inline void *kunit_kzalloc(struct kunit *test, size_t size, int flags)
{
	assert(test->nr_allocs < KUNIT_MAX_ALLOCS);
	(void)flags;
	return test->alloc[test->nr_allocs++] = calloc(1, size);
}

static inline bool kunit_expect(struct kunit *test, bool good, const char *what, int line,
				long long left, long long right)
{
	if (good)
		return true;
	test->failed = true;
	printf("# %s, %s, line %d: %s (%#llx, %#llx)\n", test->name,
	       test->desc[0] ? test->desc : "no parameter", line, what, left, right);
	return false;
}

__attribute__((format(printf, 1, 2)))
static inline bool kunit_say(const char *fmt, ...)
{
	va_list args;

	printf("# ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	return false;
}

#define KUNIT_COMPARE(test, left, op, right)						\
	({										\
		typeof(left) left_ = (left);						\
		typeof(right) right_ = (right);						\
											\
		kunit_expect(test, left_ op right_, #left " " #op " " #right, __LINE__,	\
			     (long long)left_, (long long)right_);			\
	})
#define KUNIT_SAME(test, a, b, size)							\
	kunit_expect(test, !memcmp(a, b, size), #a " equals " #b, __LINE__, 0, 0)
#define KUNIT_END(test, good)								\
	do {										\
		if (!(good))								\
			longjmp((test)->end, 1);					\
	} while (0)

#define KUNIT_EXPECT_EQ(test, a, b)		((void)KUNIT_COMPARE(test, a, ==, b))
#define KUNIT_EXPECT_EQ_MSG(test, a, b, ...)	\
	((void)(KUNIT_COMPARE(test, a, ==, b) || kunit_say(__VA_ARGS__)))
#define KUNIT_EXPECT_TRUE(test, a)		((void)KUNIT_COMPARE(test, !!(a), ==, true))
#define KUNIT_EXPECT_FALSE(test, a)		((void)KUNIT_COMPARE(test, !!(a), ==, false))
#define KUNIT_ASSERT_EQ(test, a, b)		KUNIT_END(test, KUNIT_COMPARE(test, a, ==, b))
#define KUNIT_ASSERT_EQ_MSG(test, a, b, ...)	\
	KUNIT_END(test, KUNIT_COMPARE(test, a, ==, b) || kunit_say(__VA_ARGS__))
#define KUNIT_ASSERT_NOT_NULL(test, p)		KUNIT_END(test, (p) != NULL)
#define KUNIT_EXPECT_MEMEQ(test, a, b, size)	((void)KUNIT_SAME(test, a, b, size))
#define KUNIT_ASSERT_MEMEQ(test, a, b, size)	KUNIT_END(test, KUNIT_SAME(test, a, b, size))

static inline void kunit_run_once(struct kunit *test, const struct kunit_case *c)
{
	test->nr_allocs = 0;
	if (!setjmp(test->end))
		c->run(test);
	for (unsigned int i = 0; i < test->nr_allocs; i++)
		free(test->alloc[i]);
}

static inline int kunit_run(const struct kunit_suite *suite)
{
	static struct kunit test;
	unsigned int nr = 0, failed = 0;

	for (const struct kunit_case *c = suite->test_cases; c->run; c++) {
		test.failed = false;
		test.desc[0] = 0;
		test.name = c->name;
		test.param_value = NULL;
		if (!c->generate)
			kunit_run_once(&test, c);
		else
			while ((test.param_value = c->generate(test.param_value, test.desc)))
				kunit_run_once(&test, c);
		printf("%sok %u - %s\n", test.failed ? "not " : "", ++nr, c->name);
		failed += test.failed;
	}
	return failed ? 1 : 0;
}

/* A program has one suite */
extern const struct kunit_suite *const kunit_suite_to_run;

int main(void)
{
	return kunit_run(kunit_suite_to_run);
}

#define kunit_test_suite(suite)		\
	const struct kunit_suite *const kunit_suite_to_run = &(suite)

#define MODULE_DESCRIPTION(text)	extern const char kunit_description[sizeof(text)]
#define MODULE_LICENSE(text)		extern const char kunit_license[sizeof(text)]

#endif
