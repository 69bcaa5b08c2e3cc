"""A browser that a test drives: Chromium's own protocol over two pipes, so that there is no port and nothing is left behind.

    with Browser() as browser:
        browser.open("http://127.0.0.1:8080/")
        browser.wait("document.title === 'ready'")
        browser.errors    # what the page's scripts did wrong

find() names the browser, or is None where the system has none.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

NAMES = ("chromium-headless-shell", "chromium", "google-chrome", "google-chrome-stable")


class NoBrowser(Exception):
    pass


class TooLate(AssertionError):
    pass


def find():
    for name in NAMES:
        path = shutil.which(name)
        if path and "/snap/" not in os.path.realpath(path):
            return path
    return None


class Browser:
    def __init__(self, deadline=60.0, width=1280, height=1600, dark=False):
        program = find()
        if program is None:
            raise NoBrowser("no chromium here: apt-get install chromium-headless-shell")
        self.deadline = deadline
        self.home = tempfile.TemporaryDirectory(prefix="five_browser.", ignore_cleanup_errors=True)
        # The protocol's own numbers: 3 is read by the browser, 4 is written.
        to_browser, self.write_end = os.pipe()
        self.read_end, from_browser = os.pipe()
        options = ["--remote-debugging-pipe", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run",
                   f"--user-data-dir={self.home.name}", f"--window-size={width},{height}", "about:blank"]
        if "headless-shell" not in program:
            options.insert(0, "--headless=new")

        def become():
            os.dup2(to_browser, 13)
            os.dup2(from_browser, 14)
            os.dup2(13, 3)
            os.dup2(14, 4)

        self.process = subprocess.Popen([program, *options], preexec_fn=become, pass_fds=(3, 4), close_fds=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self.received = b""
        self.last = 0
        self.errors = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable")
        if dark:
            self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.session = None
        try:
            self.ask("Browser.close")  # it has processes of its own, which still write into its home
            self.process.wait(5)
        except (AssertionError, OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.write_end)
        os.close(self.read_end)
        self.home.cleanup()

    def ask(self, method, **parameters):
        self.last += 1
        message = {"id": self.last, "method": method, "params": parameters}
        if getattr(self, "session", None):
            message["sessionId"] = self.session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + self.deadline
        while True:
            answer = self.receive(until, method)
            if answer.get("id") == self.last:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def receive(self, until, what):
        while b"\0" not in self.received:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.read_end], [], [], left)[0]:
                raise TooLate(f"the browser has not answered {what} within {self.deadline} s")
            piece = os.read(self.read_end, 1 << 20)
            if not piece:
                raise AssertionError("the browser has ended")
            self.received += piece
        message, self.received = self.received.split(b"\0", 1)
        message = json.loads(message)
        self.note(message)
        return message

    def note(self, message):
        """Everything that a person would find in red in the browser's console."""
        parameters = message.get("params", {})
        if message.get("method") == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description") or details["text"])
        elif message.get("method") == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.errors.append(parameters["entry"]["text"])
        elif message.get("method") == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "assert"):
            self.errors.append(str([each.get("value") for each in parameters["args"]]))

    def open(self, address):
        answer = self.ask("Page.navigate", url=address)
        assert "errorText" not in answer, f"{address}: {answer['errorText']}"
        self.wait("document.readyState === 'complete' && document.documentElement !== null")

    def value(self, expression):
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{expression}: {answer['exceptionDetails']['text']}")
        return answer["result"].get("value")

    def wait(self, expression, within=None):
        """Until the expression is true; returns how long that took, in seconds."""
        begin = time.monotonic()
        within = within or self.deadline
        while not self.value(expression):
            if time.monotonic() - begin > within:
                raise TooLate(f"not within {within} s: {expression}")
            time.sleep(0.02)
        return time.monotonic() - begin

    def press(self, key, code=0, text=""):
        """A key of the keyboard, down and up."""
        parameters = {"key": key, "code": key, "windowsVirtualKeyCode": code, "text": text}
        self.ask("Input.dispatchKeyEvent", type="keyDown", **parameters)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **parameters)

    def resize(self, width, height, scale=1.0):
        self.ask("Emulation.setScrollbarsHidden", hidden=True)
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False)

    def reload(self):
        self.value("document.documentElement.dataset.before = 'yes'")
        self.ask("Page.reload")
        self.wait("document.readyState === 'complete' && !document.documentElement.dataset.before")

    def picture(self, file):
        """All of the page, as PNG or WebP, as the file's name says."""
        kind = {"format": "webp", "quality": 70} if str(file).endswith(".webp") else {"format": "png"}
        width, height = self.value("[document.documentElement.scrollWidth, document.body.getBoundingClientRect().bottom]")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        data = self.ask("Page.captureScreenshot", captureBeyondViewport=True, clip=clip, **kind)["data"]
        with open(file, "wb") as out:
            out.write(base64.b64decode(data))
