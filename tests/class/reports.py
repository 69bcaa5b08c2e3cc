"""What a class is told: a page, a table, JUnit's XML for a CI system, and for each submission Gradescope's results.json and
a text for the student. Whatever a submission has said is text in all of them."""

import collections
import csv
import html
import json
import xml.etree.ElementTree as xml

shown_of_reason = 2000


def count(number, what):
    return f"{number} {what}{'' if number == 1 else 's'}"


def visible(text):
    """Without what a terminal, or XML, would not take as text."""
    return "".join(each if each in "\n\t" or (each.isprintable() and not 0xD800 <= ord(each) <= 0xDFFF) else
                   f"\\x{ord(each):02x}" for each in text)


def quoted(text):
    """What a program said, marked line by line, so that it is not taken for our words."""
    return "".join(f"    | {visible(line)}\n" for line in text.rstrip("\n").split("\n"))


def points(result):
    return f"{result['score']} of {count(result['max'], 'point')}"


def first_line(text):
    return visible(text.split("\n", 1)[0])


def verdict_in_words(result):
    words = f"{result['verdict'].upper()}, {points(result)}"
    return words + (f": {first_line(result['reason'])}" if result["reason"] else "")


def failing(result):
    return [step for step in result["steps"] if step["decides"] and step["verdict"] == "failed"]


def write(out, stage, steps, results, namespaces, walls):
    (out / "class.html").write_text(page(stage, steps, results, namespaces, walls), encoding="utf-8")
    with open(out / "class.csv", "w", newline="", encoding="utf-8") as file:
        table(csv.writer(file), steps, results)
    xml.ElementTree(junit(stage, results)).write(out / "junit.xml", encoding="utf-8", xml_declaration=True)
    for result in results:
        text = for_student(stage, result)
        (out / f"{result['name']}.txt").write_text(text, encoding="utf-8")
        (out / f"{result['name']}.json").write_text(json.dumps(gradescope(result, text), indent=1, ensure_ascii=False),
                                                    encoding="utf-8")


def summary(results, out):
    numbers = collections.Counter(result["verdict"] for result in results)
    verdicts = ", ".join(f"{number} {verdict}" for verdict, number in numbers.most_common())
    return f"{count(len(results), 'submission')}: {verdicts}; see {out / 'class.html'}"


# ---- for one --------------------------------------------------------------------------------------------------------

def for_student(stage, result):
    lines = [f"{visible(result['name'])}, graded as {stage}: {result['verdict'].upper()}, {points(result)}"]
    if result["broken"]:
        lines.append(f"It was ended, because it broke a bound: {visible(result['broken'][1])}.")
    elif result["reason"]:
        lines += [first_line(result["reason"]), *(["What was said:\n" + quoted(result["reason"][:shown_of_reason])]
                                                  if "\n" in result["reason"].strip() else [])]
    lines.append("")
    for step in result["steps"]:
        worth = f" ({step['points']} points)" if step["points"] else ""
        if step["verdict"] == "passed":
            lines.append(f"  ok      {step['step']}{worth}")
        elif step["verdict"] == "failed":
            lines.append(f"  {'FAIL  ' if step['decides'] else 'advice'}  {step['step']}{worth}\n{visible(step['text'])}")
        else:
            lines.append(f"  -       {step['step']}{worth}: {visible(step.get('reason') or step['verdict'])}")
    return "\n".join(lines) + "\n"


def gradescope(result, text):
    """As https://gradescope-autograders.readthedocs.io/en/latest/specs/ has it."""
    tests = []
    for step in result["steps"]:
        passed = step["verdict"] == "passed"
        tests.append({"name": step["step"], "score": step["points"] if passed else 0, "max_score": step["points"],
                      "status": "passed" if passed else "failed", "tags": [step["group"]], "visibility": "visible",
                      "output": "" if passed else step.get("text") or step.get("reason") or step["verdict"],
                      "output_format": "text"})
    head = text.split("\n\n", 1)[0]
    return {"score": result["score"], "execution_time": round(result["end"] - result["begin"], 1), "output": head,
            "output_format": "text", "visibility": "visible", "stdout_visibility": "hidden", "tests": tests}


# ---- for all --------------------------------------------------------------------------------------------------------

def table(writer, steps, results):
    groups = list(dict.fromkeys(step["group"] for step in steps if step["points"]))
    writer.writerow(["submission", "verdict", "points", "of", *groups, "failed", "reason", *(step["step"] for step in steps)])
    for result in results:
        sums = [sum(step["points"] for step in result["steps"] if step["group"] == group and step["verdict"] == "passed")
                for group in groups]
        writer.writerow([harmless(result["name"]), result["verdict"], result["score"], result["max"], *sums,
                         " ".join(step["step"] for step in failing(result)), harmless(first_line(result["reason"])),
                         *(step["verdict"] for step in result["steps"])])


def harmless(text):
    """A spreadsheet takes what begins like this for a formula."""
    return "'" + visible(text) if text[:1] in ("=", "+", "-", "@", "\t") else visible(text)


def junit(stage, results):
    root = xml.Element("testsuites", name=f"class {stage}")
    for result in results:
        suite = xml.SubElement(root, "testsuite", name=visible(result["name"]))
        failures = errors = skipped = 0
        cases = [(step, step["step"], step["group"], step["milliseconds"]) for step in result["steps"]]
        if result["verdict"] not in ("pass", "fail", "not decided"):
            case = xml.SubElement(suite, "testcase", classname=f"{stage}.run", name="runs", time="0")
            element = xml.SubElement(case, "error", message=f"{result['verdict']}: {first_line(result['reason'])}")
            element.text = visible(result["reason"][:shown_of_reason])
            errors += 1
        for step, name, group, milliseconds in cases:
            case = xml.SubElement(suite, "testcase", classname=f"{stage}.{group}", name=name, time=f"{milliseconds / 1000:.3f}")
            if step["verdict"] == "passed":
                continue
            why = visible(step.get("reason") or step["verdict"])
            if step["verdict"] == "failed" and step["decides"]:
                failures += 1
                element = xml.SubElement(case, "failure", message=visible(f"{step['expected']}, but {step['got']}"))
                element.text = visible(step["text"])
            elif step["verdict"] == "failed":
                xml.SubElement(case, "system-out").text = visible("advice:\n" + step["text"])
            elif step["decides"]:
                errors += 1
                xml.SubElement(case, "error", message=why)
            else:
                skipped += 1
                xml.SubElement(case, "skipped", message=why)
        for key, value in (("tests", len(suite)), ("failures", failures), ("errors", errors), ("skipped", skipped),
                           ("time", f"{result['end'] - result['begin']:.3f}")):
            suite.set(key, str(value))
    for key in ("tests", "failures", "errors", "skipped"):
        root.set(key, str(sum(int(suite.get(key)) for suite in root)))
    root.set("time", f"{sum(float(suite.get('time')) for suite in root):.3f}")
    return root


STYLE = """
:root { color-scheme: light dark; font: 16px/1.4 system-ui, sans-serif }
body { margin: 2em }
table { border-collapse: collapse; margin: 1em 0 }
th, td { border: 1px solid #8886; padding: .2em .5em; text-align: left; vertical-align: top }
th.step { writing-mode: vertical-rl; transform: rotate(180deg); font-weight: normal }
td.passed { background: #2a84 } td.failed { background: #d335 } td.advice { background: #db04 } td.open { background: #8883 }
td.cell { text-align: center }
pre { overflow-x: auto; padding: .5em; background: #8882 }
.wide { overflow-x: auto }
"""
MARKS = {"passed": ("passed", "✓", "passed"), "failed": ("failed", "✗", "failed"), "advice": ("advice", "!", "advice not met")}


def escape(text):
    return html.escape(visible(str(text)))


def page(stage, steps, results, namespaces, walls):
    numbers = collections.Counter(result["verdict"] for result in results)
    parts = [f"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Class {escape(stage)}</title>\n"
             f"<style>{STYLE}</style>\n</head>\n<body>\n<h1>Class {escape(stage)}</h1>\n<p>{count(len(results), 'submission')}: "
             + escape(", ".join(f"{number} {verdict}" for verdict, number in numbers.most_common()))
             + (".</p>\n" if namespaces else f". Not in namespaces: {escape(walls)}.</p>\n"),
             most_wrong(steps, results), who_passed_what(steps, results)]
    parts.append("<h2>Each one</h2>\n")
    for number, result in enumerate(results):
        parts.append(f"<details id=\"s{number}\"><summary>{escape(result['name'])}: {escape(verdict_in_words(result))}</summary>\n"
                     f"<pre>{escape(for_student(stage, result))}</pre></details>\n")
    parts.append("</body>\n</html>\n")
    return "".join(parts)


def most_wrong(steps, results):
    failed = collections.Counter(step["step"] for result in results for step in failing(result))
    if not failed:
        return ""
    rows = ["<h2>What goes wrong most</h2>\n<table>\n<tr><th>step</th><th>fails for</th><th>why it matters</th>"
            "<th>said most</th><th>who</th></tr>\n"]
    why = {step["step"]: step["why"] for step in steps}
    for name, number in failed.most_common():
        these = [(result["name"], step) for result in results for step in failing(result) if step["step"] == name]
        hints = collections.Counter(step["hint"] for _, step in these if step.get("hint"))
        hint = hints.most_common(1)[0][0] if hints else ""
        rows.append(f"<tr><td>{escape(name)}</td><td>{number}</td><td>{escape(why[name])}</td><td>{escape(hint)}</td>"
                    f"<td>{escape(', '.join(who for who, _ in these))}</td></tr>\n")
    return "".join(rows) + "</table>\n"


def who_passed_what(steps, results):
    rows = ["<h2>Who passed what</h2>\n<div class=\"wide\"><table>\n<tr><th>submission</th><th>verdict</th><th>points</th>"
            + "".join(f"<th class=\"step\">{escape(step['step'])}{' (advice)' if not step['decides'] else ''}</th>" for step in steps)
            + "</tr>\n"]
    for number, result in enumerate(results):
        rows.append(f"<tr><td><a href=\"#s{number}\">{escape(result['name'])}</a></td><td>{escape(result['verdict'])}</td>"
                    f"<td>{result['score']} / {result['max']}</td>")
        for step in result["steps"]:
            kind = "advice" if step["verdict"] == "failed" and not step["decides"] else step["verdict"]
            css, mark, words = MARKS.get(kind, ("open", "–", step["verdict"]))
            rows.append(f"<td class=\"cell {css}\" title=\"{escape(step['step'])}: {escape(words)}\">{mark}</td>")
        rows.append("</tr>\n")
    return "".join(rows) + "</table></div>\n"
