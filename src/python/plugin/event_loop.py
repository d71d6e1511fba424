# SPDX-License-Identifier: GPL-3.0-or-later
# asyncio, logging and signals in a conf: set up when the conf imports them.

import errno
import importlib.util
import os
import signal
import sys
import threading

# For each thread that runs a conf: `is_confs`, the conf's `number`, `jobs` while it serves, its
# `loop`, the handlers of its `signals`, and the `pipe` that they come through.
here = threading.local()


def give_event_loop(number):
    """This thread runs a conf: it gets an event loop, if there is asyncio, or once there is."""
    here.is_confs, here.number = True, number
    if "asyncio" in sys.modules:
        loop_of_thread()


def loop_of_thread():
    import asyncio

    if getattr(here, "loop", None) is None:
        here.loop = make_loop()
    asyncio.set_event_loop(here.loop)
    return here.loop


def make_loop():
    import asyncio
    import selectors

    class Selector(selectors.DefaultSelector):
        """Where the loop would wait, the thread does its jobs."""

        def select(self, timeout=None):
            jobs = loop.jobs
            if jobs is None:
                return super().select(timeout)
            jobs.run(self.fileno(), -1.0 if timeout is None else timeout)
            if jobs.closed:
                loop.stop()
            return super().select(0)

    class EventLoop(asyncio.SelectorEventLoop):
        jobs = None  # set while the loop serves them

        def call_soon(self, *arguments, **options):
            if self.jobs is not None:
                self.jobs.touched = True
            return super().call_soon(*arguments, **options)

        def call_at(self, *arguments, **options):
            if self.jobs is not None:
                self.jobs.touched = True
            return super().call_at(*arguments, **options)

        def add_signal_handler(self, number, callback, *arguments):
            set_signal(number, lambda *_: callback(*arguments))

        def remove_signal_handler(self, number):
            return set_signal(number, signal.SIG_DFL) is not signal.SIG_DFL

    loop = EventLoop(Selector())
    return loop


def serve(jobs):
    """Runs the thread's jobs until there are no more, in its event loop, once it has one."""
    here.jobs = jobs
    try:
        for number in list(getattr(here, "signals", ())):
            register_signal(number)
    except BaseException as error:
        say("an exception was not caught", error, error.__traceback__)
    while not jobs.closed:
        try:
            if "asyncio" in sys.modules:
                run_loop(jobs)
            else:
                jobs.run(-1, -1.0)
        except BaseException as error:
            say("an exception was not caught", error, error.__traceback__)


def run_loop(jobs):
    import asyncio

    loop = loop_of_thread()
    loop.jobs = jobs
    asyncio._set_running_loop(None)  # set if a hook was the first to import asyncio
    loop.run_forever()


def leave():
    """Releases what this thread's conf has of the process: its signals, their pipe and its event
    loop. The last code of the thread, whether it has served or not. Called again after a failure.
    """
    has_served = getattr(here, "jobs", None) is not None
    pipe = getattr(here, "pipe", None)
    if pipe is not None:
        for number in list(here.signals):
            own.release_signal(int(number), pipe[1])
    loop = getattr(here, "loop", None)
    if loop is not None and not loop.is_closed():
        loop.jobs = None
        try:
            end_tasks(loop, has_served)
        except BaseException as error:
            say("an exception was not caught", error, error.__traceback__)
        loop.close()
    here.jobs = here.pipe = None
    for descriptor in pipe or ():
        os.close(descriptor)


def end_tasks(loop, may_run):
    """As asyncio.run() ends its own, but not later than a second. Those of a conf that is not
    used do not run."""
    import asyncio

    asyncio._set_running_loop(None)
    tasks = asyncio.all_tasks(loop)
    if not may_run:
        for task in tasks:
            task._log_destroy_pending = False
            task.get_coro().close()
        return
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=1))


def on_asyncio(module):
    own.asyncio_is_there()
    if getattr(here, "is_confs", False):
        loop = loop_of_thread()
        if getattr(here, "jobs", None) is not None:
            here.jobs.touched = True
            module._set_running_loop(loop)


# sftdyn's log has these levels (logging's are numbers of which any may be used).
LEVELS = ((50, 5), (40, 4), (30, 3), (20, 2), (0, 1))


def on_logging(module):
    class Handler(module.Handler):
        """Hands a conf's lines to sftdyn's log, which knows what is to be seen."""

        def emit(self, record):
            try:
                text = record.getMessage()
                if record.exc_info and record.exc_info[1] is not None:
                    error = record.exc_info[1]
                    text = redacted(text, (), known_words(()))
                    text += "\n" + story(error, error.__traceback__, ())
                elif record.name == "asyncio":
                    text = redacted(text, (), known_words(()))
                level = next(ours for least, ours in LEVELS if record.levelno >= least)
                own.log(level, text if record.name == "root" else f"{record.name}: {text}")
            except Exception:
                self.handleError(record)

    module.raiseExceptions = False  # handleError() would print the arguments
    module.getLogger().addHandler(Handler())
    module.getLogger().setLevel(module.DEBUG)


SIGNALS_OF_OURS = {
    signal.SIGHUP: "it runs the conf anew",
    signal.SIGTERM: "it ends sftdyn",
    signal.SIGINT: "it ends sftdyn",
    signal.SIGPIPE: "it would end sftdyn when a client is gone",
}


def set_signal(number, handler):
    """signal.signal() for a conf: its handlers run on its thread, between requests. What it has
    set before its thread serves is in force from then on: the conf may not be used."""
    number = signal.Signals(number)
    if number in SIGNALS_OF_OURS:
        raise ValueError(
            f"the signal {number.name} is sftdyn's own ({SIGNALS_OF_OURS[number]}): "
            "a conf can't have it"
        )
    if not getattr(here, "is_confs", False):
        raise ValueError("signal only works in the conf's own thread")
    if not callable(handler) and handler not in (signal.SIG_DFL, signal.SIG_IGN):
        raise TypeError(
            "signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object"
        )
    if number in (signal.SIGKILL, signal.SIGSTOP):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    if not hasattr(here, "signals"):
        import asyncio  # noqa: F401 (the thread has a loop then)

        here.signals = {}
    before = here.signals.get(number, signal.SIG_DFL)
    here.signals[number] = handler
    if getattr(here, "jobs", None) is not None:
        register_signal(number)
    return before


def register_signal(number):
    if getattr(here, "pipe", None) is None:
        here.pipe = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        loop_of_thread().add_reader(here.pipe[0], on_signals)
    handler = here.signals[number]
    own.set_signal(
        int(number),
        -1 if handler is signal.SIG_DFL else -2 if handler is signal.SIG_IGN else here.pipe[1],
        here.number,
    )


def on_signals():
    for number in os.read(here.pipe[0], 4096):
        handler = here.signals.get(signal.Signals(number))
        if callable(handler):
            handler(number, None)


signal.signal = set_signal


class Finder:
    """Prepares modules when a conf imports them, so that other confs do not pay for them."""

    wanted = {"asyncio": on_asyncio, "logging": on_logging}

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        on_import = cls.wanted.pop(name, None)
        if on_import is None:
            return None
        spec = importlib.util.find_spec(name)
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            on_import(module)

        spec.loader.exec_module = exec_module
        return spec


for name in list(Finder.wanted):
    if name in sys.modules:
        Finder.wanted.pop(name)(sys.modules[name])
sys.meta_path.insert(0, Finder)
