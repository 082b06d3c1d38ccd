#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Changes single lines of the driver, one at a time, and shows which changes no quick test
notices:

    mutants.py [--seed N] [--all] [--at FILE:LINE] [FILE...]

A mutant is one changed line.  From each file the mutants are taken evenly over its lines,
chosen by the seed.  A mutant that does not compile, or whose object code is the same at
-O2, does not count.  The quick tests are those of tests/unit, then the fuzz targets from
their corpora.  A mutant that none of them notices survives, and is printed.  The run fails
if the tests notice less than PART of the mutants.

tests/mutants.txt lists survivors that are equivalent: no test can notice them.

Tests of a mutant are limited in CPU time, not in time, so that a slow machine gives the
same result as a fast one.
"""

import argparse
import concurrent.futures
import os
import queue
import random
import re
import resource
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OUT = os.environ.get("MUTANTS_OUT", os.path.join(TOP, "build", "mutants"))
EQUIVALENT = os.path.join(TOP, "tests", "mutants.txt")

# Mutants of each file, in proportion to its lines of code
QUOTA = {
    "hdm.c": 52,
    "dvsec.c": 50,
    "comp.c": 34,
    "config.c": 60,
    "discover.c": 48,
    "look.c": 22,
    "registers.c": 40,
    "vbar.c": 20,
    "terms.c": 24,
    "cedt.c": 30,
    "port.c": 24,
}
FUZZ = {
    "hdm.c": ["hdm", "discover", "config"],
    "dvsec.c": ["dvsec", "config"],
    "comp.c": ["discover", "config"],
    "config.c": ["config"],
    "discover.c": ["discover"],
    "look.c": ["discover", "config"],
    "registers.c": ["discover", "config"],
    "vbar.c": [],
    "terms.c": [],
    "cedt.c": [],
    "port.c": [],
}
FUZZ_RUNS = 10000
PART = 0.95         # of the mutants that are not equivalent must be noticed
ENOUGH = 300        # mutants that must count
PROGRESS = 25       # mutants between two lines of progress


def cpu_limit(usual):
    """CPU seconds for a test that usually takes so many: past it, a loop does not end."""
    return int(10 * usual) + 10

# Identifiers that stand for each other, as in a register that was mixed up
SWAPS = [
    ("_LOW", "_HIGH"), ("_BASE_", "_SIZE_"), ("_SKIP_", "_SIZE_"), ("_COMMITTED", "_COMMIT"),
    ("_CTRL2", "_CTRL"), ("_STATUS2", "_STATUS"), ("_LOCKED", "_COMMITTED"),
    ("_IG", "_IW"), ("_INFO_VALID", "_ACTIVE"), ("_CAP_WBI", "_CAP_RST"),
    ("_HEADER1", "_HEADER2"), (".start", ".end"), ("->start", "->end"), (".base", ".size"),
    (".high", ".low"), ("min", "max"), ("min_t", "max_t"), ("round_up", "round_down"),
    ("AREA_READONLY", "AREA_HIDDEN"), ("AREA_DVSEC_HEADER", "AREA_READONLY"),
    ("PCI_COMMAND_MEMORY", "PCI_COMMAND_IO"), ("virt", "phys"),
]


def code_of(text):
    """The text with comments, strings and preprocessor lines other than #define blanked."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group())

    text = re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", blank,
                  text, flags=re.S)
    return re.sub(r"^#(?!define)[^\n]*", blank, text, flags=re.M)


def replace(line, start, end, new):
    return line[:start] + new + line[end:]


def operators(line, code):
    """Yield (name, changed line) for each operator in a line."""
    def swap(pattern, new, name):
        for m in re.finditer(pattern, code):
            text = new(m) if callable(new) else new
            yield name, replace(line, m.start(), m.end(), text)

    flip = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
    yield from swap(r"(?<= )(<=|>=|==|!=|<|>)(?= )", lambda m: flip[m.group()], "relation")
    yield from swap(r"&&", "||", "and-or")
    yield from swap(r"\|\|", "&&", "and-or")
    yield from swap(r"(?<=[\w)\]] )\+(?= )", "-", "plus-minus")
    yield from swap(r"(?<=[\w)\]] )-(?= )", "+", "plus-minus")
    yield from swap(r"\+=", "-=", "plus-minus")
    yield from swap(r"(?<=[\w)\]] )\*(?= [\w(])", "/", "plus-minus")
    yield from swap(r"(?<=[\w)\]] )/(?= [\w(])", "*", "plus-minus")
    yield from swap(r"(?<=[\w)\]] )%(?= [\w(])", "/", "plus-minus")
    yield from swap(r"<<", ">>", "shift")
    yield from swap(r">>", "<<", "shift")
    yield from swap(r"\|=|&=", "=", "assignment")
    yield from swap(r"\|=", "&=", "assignment")
    yield from swap(r"&=", "|=", "assignment")
    yield from swap(r"(?<=[\w)\]]) (&|\|) ~?[A-Za-z_]\w*(\([^()]*\))?", "", "mask dropped")
    yield from swap(r"(?<=[\w)\]] )&(?= )", "|", "mask")
    yield from swap(r"(?<=[\w)\]] )\|(?= )", "&", "mask")
    yield from swap(r"(?<=[\w)\]] )\^(?= )", "&", "mask")
    yield from swap(r"~(?=[\w(])", "", "not dropped")
    yield from swap(r"!(?=[\w(*])", "", "not dropped")
    yield from swap(r"(?<![\w.])(0x[0-9a-f]+|\d+)(?=[UL]*\b)",
                    lambda m: number(m.group()), "constant")
    yield from swap(r"\btrue\b", "false", "bool")
    yield from swap(r"\bfalse\b", "true", "bool")
    for one, other in SWAPS:
        for a, b in (one, other), (other, one):
            left = "" if a[0] in "_.-" else r"\b"
            yield from swap(left + re.escape(a) + r"(?![a-z0-9])(?!_T\b)", b, "name")
    yield from conditions(line, code)
    yield from statements(line, code)


def number(text):
    n = int(text, 0) + 1
    return hex(n) if text.startswith("0x") else str(n)


def conditions(line, code):
    """Negate the condition of an if or while, or what is returned."""
    m = re.match(r"\s*(?:\} )?(?:else )?(if|while) \(", code)
    if m:
        depth, at = 1, m.end()
        while at < len(code) and depth:
            depth += {"(": 1, ")": -1}.get(code[at], 0)
            at += 1
        if not depth:
            yield "condition", line[:m.end()] + "!(" + line[m.end():at] + ")" + line[at:]
    for m in re.finditer(r"(?:= |return |\()(!?[\w>.\-]+(?:\([^()]*\))?) \? ", code):
        yield "condition", replace(line, m.start(1), m.end(1), "!(" + line[m.start(1):m.end(1)] + ")")


def statements(line, code):
    """Delete a statement, or return something else."""
    m = re.match(r"(\s+)return (.+);\s*$", code)
    if m:
        if m.group(2) != "0":
            yield "return", m.group(1) + "return 0;\n"
        if re.search(r"[<>=!&|]|^-E", m.group(2)):
            yield "return", m.group(1) + "return !(" + line[m.start(2):m.end(2)] + ");\n"
    elif re.match(r"\t+[^\s#].*;\s*$", code) and code.count("(") == code.count(")") and \
            not re.match(r"\t+(static |const |struct |unsigned |u\d+ |int |bool |size_t |ssize_t |"
                         r"void |loff_t |__le\d+ |DECLARE_|enum |for |return\b|\} while)", code):
        yield "deleted", re.match(r"\s*", line).group() + ";\n"


class Mutant:
    def __init__(self, file, line, operator, old, new):
        self.file, self.line, self.operator = file, line, operator
        self.old, self.new = old, new

    def key(self):
        return self.file, " ".join(self.old.split()), " ".join(self.new.split())

    def __str__(self):
        return "src/%s:%u: %s -> %s" % (self.file, self.line, self.old.strip(),
                                        self.new.strip())


def candidates(file):
    """All mutants of a file, in the order of its lines."""
    with open(os.path.join(TOP, "src", file), encoding="ascii") as f:
        text = f.read()
    lines, found, seen = text.splitlines(True), [], set()
    starts = False
    for n, code in enumerate(code_of(text).splitlines(True)):
        # The first line with a function or definition ends the includes
        starts = starts or code.startswith(("#define", "static", "u", "bool", "enum", "void"))
        if not starts:
            continue
        for operator, new in operators(lines[n], code):
            if new != lines[n] and (n, new) not in seen:
                seen.add((n, new))
                found.append(Mutant(file, n + 1, operator, lines[n], new))
    return found


def equivalents():
    """Keys of the mutants that tests/mutants.txt declares equivalent."""
    keys, file, old = set(), None, None
    with open(EQUIVALENT, encoding="ascii") as f:
        for line in f:
            if m := re.match(r"(\w+\.c): (.*)$", line):
                file, old = m.group(1), " ".join(m.group(2).split())
            elif m := re.match(r"\s+-> (.*)$", line):
                keys.add((file, old, " ".join(m.group(1).split())))
    return keys


class DoesNotBuild(Exception):
    """A test does not link with the mutant."""


class Tree:
    """A copy of the sources and tests, with builds of its own, for one mutant at a time."""

    def __init__(self, number, fuzz_runs, other=None):
        self.fuzz_runs = fuzz_runs
        self.dir = os.path.join(OUT, "tree%u" % number)
        shutil.rmtree(self.dir, ignore_errors=True)
        if other:
            shutil.copytree(other.dir, self.dir)
        else:
            for part in "src", "include", "tests/unit", "tests/kunit", "tests/fuzz":
                shutil.copytree(os.path.join(TOP, part), os.path.join(self.dir, part))
        # CPU seconds that each test takes without a mutant
        self.usual = other.usual if other else {}
        self.units = other.units if other else {}

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def run(self, command, cwd="."):
        return subprocess.run(command, cwd=self.path(cwd), check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace")

    def passes(self, target, arguments):
        """Run a test, within ten times the CPU time that it took without a mutant."""
        limit = cpu_limit(self.usual.get(target, 60))

        def bound():
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

        # A fuzz target writes the inputs that it finds to its first directory
        shutil.rmtree(self.path("found"), ignore_errors=True)
        os.mkdir(self.path("found"))
        with subprocess.Popen([self.path("build", target)] + arguments, cwd=self.dir,
                              preexec_fn=bound, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        self.usual.setdefault(target, usage.ru_utime + usage.ru_stime)
        return process.returncode == 0

    def object(self, file):
        """Object code of a source at -O2, None if it does not compile."""
        done = self.run(["make", "-s", "-C", "tests/unit", "O=../../o2", "../../o2/O2/%s.o" %
                         file[:-2]])
        if done.returncode:
            return None
        with open(self.path("o2/O2", file[:-2] + ".o"), "rb") as f:
            return f.read()

    def unit_tests(self, file):
        """Each unit test of a source: directory, target, arguments."""
        if file not in self.units:
            names = self.run(["make", "-s", "-C", "tests/unit", "tests-of-" + file[:-2]])
            self.units[file] = names.stdout.split()
        return [("tests/unit", "unit/" + name, []) for name in self.units[file]]

    def fuzz_targets(self, file):
        """Each fuzz target of a source: directory, target, arguments."""
        return [("tests/fuzz", "fuzz/" + name, [
            "-seed=1", "-max_len=512", "-runs=%u" % self.fuzz_runs, "-verbosity=0",
            "-exact_artifact_path=/dev/null", self.path("found"),
            os.path.join(OUT, "seeds", name)]) for name in FUZZ[file] if self.fuzz_runs]

    def build(self, where, target):
        """Build a test.  Symbols are for reading reports, of which there are none."""
        made = self.run(["make", "-s", "-C", where, "DEBUG=", "../../build/" + target])
        if made.returncode:
            raise DoesNotBuild("%s does not build:\n%s" % (target, made.stdout))

    def check(self, file):
        """See that the tests of a source pass without a mutant, and what they take."""
        for where, target, arguments in self.unit_tests(file) + self.fuzz_targets(file):
            self.build(where, target)
            if target not in self.usual and not self.passes(target, arguments):
                sys.exit("%s fails without a mutant" % target)

    def noticed(self, tests):
        """The first test that fails, None if all pass."""
        for where, target, arguments in tests:
            self.build(where, target)
            if not self.passes(target, arguments):
                return target
        return None

    def write(self, file, lines):
        with open(self.path("src", file), "w", encoding="ascii") as f:
            f.writelines(lines)


def unpack_seeds():
    """Each line of a corpus is the hexadecimal of a file."""
    for target in sorted({t for targets in FUZZ.values() for t in targets}):
        to = os.path.join(OUT, "seeds", target)
        shutil.rmtree(to, ignore_errors=True)
        os.makedirs(to)
        with open(os.path.join(TOP, "tests/fuzz/corpus", target + ".txt"),
                  encoding="ascii") as f:
            for n, line in enumerate(f):
                if not line.startswith("#"):
                    with open(os.path.join(to, str(n)), "wb") as seed:
                        seed.write(bytes.fromhex(line.strip()))


class Run:
    def __init__(self, options):
        self.options = options
        self.trees = queue.Queue()
        self.originals, self.baseline = {}, {}
        self.equivalent = equivalents()
        self.done = self.total = 0

    def prepare(self, files, jobs):
        """Make the trees, and see that all tests pass without a mutant."""
        unpack_seeds()
        first = Tree(0, self.options.fuzz_runs)
        for file in files:
            with open(os.path.join(TOP, "src", file), encoding="ascii") as f:
                self.originals[file] = f.readlines()
            self.baseline[file] = first.object(file)
            first.check(file)
        self.trees.put(first)
        for n in range(1, jobs):
            self.trees.put(Tree(n, self.options.fuzz_runs, first))

    def judge(self, mutant):
        """None if the mutant does not count, else (mutant, test that noticed it or None)."""
        tree, lines = self.trees.get(), self.originals[mutant.file]
        try:
            changed = list(lines)
            changed[mutant.line - 1] = mutant.new
            tree.write(mutant.file, changed)
            test = tree.noticed(tree.unit_tests(mutant.file))
            if test:
                return mutant, test
            code = tree.object(mutant.file)
            if code is None or code == self.baseline[mutant.file]:
                return None
            # The fuzz targets take most of the time, and what is equivalent has a reason
            if mutant.key() in self.equivalent:
                return mutant, None
            return mutant, tree.noticed(tree.fuzz_targets(mutant.file))
        except DoesNotBuild:
            return None
        finally:
            tree.write(mutant.file, lines)
            self.trees.put(tree)

    def bucket(self, mutants):
        """The first mutant of a bucket that counts."""
        for mutant in mutants:
            verdict = self.judge(mutant)
            if verdict:
                self.judged(*verdict)
                return verdict
        return None

    def judged(self, mutant, test):
        """Print a survivor, and how far the run is."""
        self.done += 1
        if not test and mutant.key() not in self.equivalent:
            print("mutants: survived: %s" % mutant, flush=True)
        if self.done % PROGRESS == 0:
            print("mutants: %u of about %u judged" % (self.done, self.total), flush=True)


def buckets(files, options):
    """Lists of mutants; one of each list is to be judged."""
    for file in files:
        found = candidates(file)
        if options.at:
            found = [m for m in found if "%s:%u" % (file, m.line) in options.at]
        n = len(found) if options.all or options.at else min(QUOTA[file], len(found))
        chance = random.Random("%s %s" % (options.seed, file))
        for i in range(n):
            part = found[i * len(found) // n:(i + 1) * len(found) // n]
            chance.shuffle(part)
            yield part


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--all", action="store_true", help="judge every mutant")
    parser.add_argument("--at", action="append", metavar="FILE:LINE",
                        help="judge every mutant of a line")
    parser.add_argument("--fuzz-runs", type=int, default=FUZZ_RUNS, help="0: no fuzz targets")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("files", nargs="*", default=list(QUOTA), metavar="FILE")
    options = parser.parse_args()

    os.makedirs(OUT, exist_ok=True)
    run, parts = Run(options), list(buckets(options.files, options))
    run.total = len(parts)
    run.prepare(options.files, options.jobs)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        verdicts = [v for v in pool.map(run.bucket, parts) if v]
    return report(verdicts, run, options)


def result(good, sentence):
    """A line in the form of tests/report.sh; returns whether it is good."""
    print("mutants: %s ... %s" % (sentence, "ok" if good else "FAIL"), flush=True)
    return good


def stale(keys):
    """Equivalent mutants of lines that are not in the sources any more."""
    texts = {}
    for file in QUOTA:
        with open(os.path.join(TOP, "src", file), encoding="ascii") as f:
            texts[file] = {" ".join(line.split()) for line in f}
    return ["%s: %s" % (file, old) for file, old, _ in sorted(keys)
            if old not in texts.get(file, ())]


def report(verdicts, run, options):
    """Print the numbers of each file, and the sum; returns the exit status."""
    noticed = equivalent = 0
    for file in options.files:
        mine = [(m, t) for m, t in verdicts if m.file == file]
        seen = sum(1 for m, t in mine if t)
        same = sum(1 for m, t in mine if not t and m.key() in run.equivalent)
        noticed += seen
        equivalent += same
        print("mutants: %s: %u mutants, %u noticed, %u equivalent, %u survived" %
              (file, len(mine), seen, same, len(mine) - seen - same))
    different = len(verdicts) - equivalent
    old = stale(run.equivalent)
    for line in old:
        print("    not in the source: %s" % line)
    results = [
        result(not old, "tests/mutants.txt names lines that the sources have"),
        result(noticed >= PART * different,
               "the quick tests notice %u of %u mutants, %u %% of them at least" %
               (noticed, different, 100 * PART)),
    ]
    if options.files == list(QUOTA) and not options.at:
        results.append(result(len(verdicts) >= ENOUGH, "%u mutants count, %u at least" %
                              (len(verdicts), ENOUGH)))
    print("%u passed, %u failed" % (results.count(True), results.count(False)))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
