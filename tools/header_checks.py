#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The updraft authors
# SPDX-License-Identifier: Apache-2.0
"""Write C sources that compile only where the simulator's headers agree with the real ones.

For each header of sim/idf/include and sim/nimble/include, one source is written. It includes
the header under the same path, so that a compiler with ESP-IDF's include paths finds ESP-IDF's,
and states what ours declares: types of functions, types of the fields of structs, values of
enumerators and of macros that are integers. With a compiler given, the sources are compiled and
what differs is told; what a version does not have is no difference.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
SIM = [ROOT / "sim/idf/include", ROOT / "sim/nimble/include"]

# Headers that are ours by nature: settings, and what firmware never includes itself.
OWN_HEADERS = {
    "sdkconfig.h", "sdkconfig_nimble.h", "esp_nimble_cfg.h", "syscfg/syscfg.h", "os/queue.h",
    "freertos/FreeRTOSConfig.h", "freertos/portmacro.h", "mbedtls/sha256.h",
}
# Names that are not compared.
OWN_NAMES = {
    # Ours to choose: the version that is simulated, and what it makes of these.
    "sim_idf_version_string", "UPDRAFT_IDF_MAJOR", "ESP_IDF_VERSION_MAJOR",
    "ESP_IDF_VERSION_MINOR", "ESP_IDF_VERSION_PATCH", "ESP_IDF_VERSION",
    "esp_app_desc_t.reserv2", "esp_app_desc_t.reserv3",
    # Different from chip to chip.
    "GPIO_NUM_MAX", "SOC_CPU_CORES_NUM", "ESP_PWR_LVL_N12", "ESP_PWR_LVL_N9", "ESP_PWR_LVL_N6",
    "ESP_PWR_LVL_N3", "ESP_PWR_LVL_N0", "ESP_PWR_LVL_P3", "ESP_PWR_LVL_P6", "ESP_PWR_LVL_P9",
    "BLE_HCI_SUGG_DEF_DATALEN_TX_TIME_MAX",
    # Not an integer constant in ESP-IDF; grown from version to version; a setting.
    "BLE_NPL_TIME_FOREVER", "BLE_SM_IOACT_MAX_PLUS_ONE", "ESP_TASK_MAIN_STACK",
}

PRELUDE = """\
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sdkconfig.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
"""
NIMBLE_PRELUDE = '#include "nimble/nimble_port.h"\n#include "host/ble_hs.h"\n'


def preprocess(header, options):
    command = ["cc", "-E", *options, "-D_GNU_SOURCE", "-DIDF_VER=\"check\"",
               *(f"-I{directory}" for directory in SIM), "-"]
    prelude = PRELUDE + (NIMBLE_PRELUDE if (SIM[1] / header).exists() else "")
    return subprocess.run(command, input=f'{prelude}#include "{header}"\n', text=True, check=True,
                          capture_output=True).stdout


def own_text(header, preprocessed):
    """The part of the preprocessed text that stands in the header itself."""
    lines, inside = [], False
    for line in preprocessed.splitlines():
        marker = re.match(r'# \d+ "([^"]*)"', line)
        if marker:
            inside = marker.group(1).endswith("/" + header)
        elif inside and not line.startswith("#"):
            lines.append(line)
    return "\n".join(lines)


def without_attributes(text):
    while True:
        start = re.search(r"__attribute__\s*\(|__asm__\s*\(|_Static_assert\s*\(", text)
        if not start:
            break
        depth, end = 1, start.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        text = text[: start.start()] + text[end:]
    return re.sub(r"\b(_Noreturn|__extension__|extern|static|inline|__inline__)\b", "", text)


def statements(text):
    """Split at depth 0: after ';', and after the body of a function."""
    result, depth, start = [], 0, 0
    for place, character in enumerate(text):
        depth += {"{": 1, "}": -1}.get(character, 0)
        body = character == "}" and depth == 0 and "(" in text[start:place].split("{")[0]
        if depth == 0 and (character == ";" or body):
            result.append(" ".join(text[start : place + 1].split()))
            start = place + 1
    return result


def body_of(statement):
    """The text between the outermost braces, and what follows."""
    first = statement.index("{")
    depth, place = 1, first + 1
    while depth:
        depth += {"{": 1, "}": -1}.get(statement[place], 0)
        place += 1
    return statement[first + 1 : place - 1], statement[place:].strip(" ;")


def fields(text, path=""):
    """(path, type or None) of each field, those of nested structs and unions too."""
    for field in statements(text):
        if re.match(r"(struct|union)\b[^;({]*\{", field):
            inner, name = body_of(field)
            name = re.sub(r"\[.*", "[0]", name)
            yield from fields(inner, path + name + "." if name else path)
            continue
        declaration = field.strip(" ;")
        if not declaration:
            continue
        pointer = re.search(r"\(\s*\*\s*(\w+)\s*\)", declaration)
        if pointer:
            yield path + pointer.group(1), declaration.replace(pointer.group(1), "@", 1)
            continue
        base = re.match(r"(.*?)([*\s]+)(\w+)((?:\[[^\]]*\])*)\s*(:.*)?$", declaration)
        if not base or "," in declaration:
            raise ValueError(f"field not understood: {declaration}")
        if base.group(5):
            yield path + base.group(3), None
        elif base.group(4) == "[]":
            yield path + base.group(3), None
        else:
            yield path + base.group(3), f"{base.group(1)}{base.group(2)}@{base.group(4)}"


class Source:
    def __init__(self, header):
        self.header = header
        self.lines = []
        self.count = 0

    def same_type(self, theirs, declaration, remark):
        """Two declarations of one object: an error unless their types are compatible."""
        self.count += 1
        name = f"check_{self.count}_{re.sub(r'[^A-Za-z0-9]+', '_', remark)}"
        self.lines.append(f"extern {declaration.replace('@', name)}; "
                          f"extern __typeof__({theirs}) {name};")

    def function(self, statement):
        declaration = statement.split("{")[0].strip(" ;")
        name = re.search(r"(\w+)\s*\(", declaration)
        if name and name.group(1) not in OWN_NAMES:
            at, end = name.span(1)
            self.lines.append(f"#ifndef {name.group(1)} /* a macro has no type */")
            self.same_type(name.group(1), declaration[:at] + "@" + declaration[end:],
                           name.group(1))
            self.lines.append("#endif")

    def aggregate(self, kind, text):
        for path, declaration in fields(text):
            if f"{kind}.{path}" in OWN_NAMES:
                continue
            place = f"(({kind} *)0)->{path}"
            if declaration is None:
                self.lines.append(f"enum {{ check_{self.count} = sizeof((int)({place})) }};")
                self.count += 1
            else:
                self.same_type(place, declaration, f"{kind}_{path}")

    def statement(self, text):
        typedef = text.startswith("typedef ")
        if typedef:
            text = text[len("typedef "):]
        match = re.match(r"(struct|union|enum)\s*(\w*)\s*\{", text)
        if match:
            body, rest = body_of(text)
            if match.group(1) != "enum":
                self.aggregate(rest if typedef else f"{match.group(1)} {match.group(2)}", body)
        elif not typedef and "(" in text and "=" not in text:
            self.function(text)


def integers(header, preprocessed_macros, text):
    """Values of the header's enumerators and integer macros, as our headers have them."""
    names = []
    for statement in statements(text):
        match = re.search(r"\benum\s*\w*\s*\{", statement)
        if match:
            body, _ = body_of(statement[match.start():])
            names += re.findall(r"(?:^|,)\s*(\w+)", body)
    own = (SIM[1] / header if (SIM[1] / header).exists() else SIM[0] / header).read_text()
    for name in re.findall(r"^#\s*define\s+(\w+)(?!\()[ \t]+\S", own, re.M):
        if name in preprocessed_macros and not name.startswith("CONFIG_"):
            names.append(name)
    names = [name for name in dict.fromkeys(names) if name not in OWN_NAMES]
    prelude = PRELUDE + (NIMBLE_PRELUDE if (SIM[1] / header).exists() else "")
    with tempfile.TemporaryDirectory() as directory:
        source, program = pathlib.Path(directory, "a.c"), pathlib.Path(directory, "a")
        while True:
            lines = [f'enum {{ e_{name} = (long long)({name}) != 0, '
                     f't_{name} = 1 / _Generic(({name}), char *: 0, default: 1) }}; '
                     f'static const long long v_{name} = (long long)({name});' for name in names]
            prints = "".join(f'printf("{name} %lld\\n", v_{name});' for name in names)
            source.write_text("\n".join(lines) + "\n")
            main = pathlib.Path(directory, "main.c")
            main.write_text(f'{prelude}#include <stdio.h>\n#include "{header}"\n'
                            f'#include "a.c"\nint main(void){{{prints}return 0;}}\n')
            done = subprocess.run(["cc", "-w", "-fmax-errors=0", "-D_GNU_SOURCE",
                                   "-DIDF_VER=\"check\"", *(f"-I{d}" for d in SIM), str(main),
                                   "-o", str(program)], text=True, capture_output=True)
            if done.returncode == 0:
                break
            bad = {int(n) for n in re.findall(r"\ba\.c:(\d+):\d+:", done.stderr)}
            if not bad:
                raise RuntimeError(done.stderr)
            names = [name for place, name in enumerate(names, 1) if place not in bad]
        values = subprocess.run([str(program)], text=True, check=True,
                                capture_output=True).stdout
    return [line.split() for line in values.splitlines()]


def write_source(header, out):
    source = Source(header)
    preprocessed = preprocess(header, [])
    macros = set(re.findall(r"#define (\w+)", preprocess(header, ["-dM"])))
    text = without_attributes(own_text(header, preprocessed))
    text = re.sub(r'extern\s*"C"\s*\{', "", text)
    for statement in statements(text):
        source.statement(statement)
    for name, value in integers(header, macros, text):
        source.lines.append(f'_Static_assert((long long)({name}) == {value}LL, "{name}");')
    nimble = (SIM[1] / header).exists()
    path = out / (header.replace("/", "__").removesuffix(".h") + ".c")
    path.write_text(PRELUDE + (NIMBLE_PRELUDE if nimble else "") + f'#include "{header}"\n' +
                    "\n".join(source.lines) + "\n")


def compile_source(compiler, source):
    """(what differs, what is not there at all): a version may lack what a later one has."""
    done = subprocess.run([*compiler, "-w", "-fmax-errors=0", str(source)], text=True,
                          capture_output=True, env={**os.environ, "LC_ALL": "C"})
    missing, different = {}, {}
    for where, place, message in re.findall(r"^([^:\n]+):(\d+):\d+: (?:fatal )?error: (.*)$",
                                            done.stderr, re.M):
        place = (where, int(place))
        if re.search("undeclared here|has no member|No such file|undefined type", message):
            missing[place] = message
        else:
            different.setdefault(place, message)
    for place in missing:
        different.pop(place, None)
    if done.returncode and not missing and not different:
        different[str(source), 0] = done.stderr
    return different, missing


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--verbose", action="store_true", help="name what is not there, too")
    parser.add_argument("out", type=pathlib.Path, help="directory for the sources")
    parser.add_argument("compiler", nargs="*", help="command that compiles one of them")
    options = parser.parse_args()
    if not options.compiler:
        options.out.mkdir(parents=True, exist_ok=True)
        for directory in SIM:
            for path in sorted(directory.rglob("*.h")):
                header = str(path.relative_to(directory))
                if header not in OWN_HEADERS:
                    write_source(header, options.out)
        return 0
    failed = 0
    for source in sorted(options.out.glob("*.c")):
        different, missing = compile_source(options.compiler, source)
        header = source.stem.replace("__", "/") + ".h"
        for message in different.values():
            print(f"{header}: {message}", file=sys.stderr)
            failed = 1
        if options.verbose:
            for message in missing.values():
                print(f"{header}: not there: {message}", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
