"""The `pulumirpc.LanguageRuntime` service."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from cloudcommerce_sandbox.language_host import program
from cloudcommerce_sandbox.language_host.children import Children
from cloudcommerce_sandbox.language_host.packages import installed_plugins


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Runs Python programs, policy packs and plugins for one engine.

    Args:
        engine_address: `host:port` of the engine that started us.
    """

    def __init__(self, engine_address: str) -> None:
        self.children = Children()
        self._engine_address = engine_address

    def Handshake(self, request: Any, context: Any) -> Any:
        """Tell the engine that we are ready; we need nothing of what it offers."""
        del request, context
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        """Return our version, which is that of the Pulumi SDK we serve."""
        del request, context
        return plugin_pb2.PluginInfo(version=metadata.version("pulumi"))

    def About(self, request: Any, context: Any) -> Any:
        """Return the interpreter that programs run in, for `pulumi about`."""
        del request, context
        return language_pb2.AboutResponse(executable=sys.executable, version=_python_version())

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        """Return the resource plugins of the installed SDKs which can be had here.

        An SDK that is installed but whose plugin isn't is left out: the engine would try to download it
        before it knows whether the program uses it. A program that does use it is told so by the engine at
        its first resource.
        """
        del request, context
        home = Path(os.environ.get("PULUMI_HOME", Path.home() / ".pulumi"))
        plugins = [plugin for plugin in installed_plugins() if plugin.available(home)]
        return language_pb2.GetRequiredPackagesResponse(
            packages=[
                plugin_pb2.PackageDependency(
                    name=plugin.name, kind="resource", version=f"v{plugin.version}", server=plugin.server
                )
                for plugin in plugins
            ]
        )

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:
        """Return the installed distributions, for `pulumi about`."""
        del request, context
        found = {item.metadata["Name"]: item.version for item in metadata.distributions()}
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[
                language_pb2.DependencyInfo(name=name, version=found[name]) for name in sorted(found)
            ]
        )

    def RuntimeOptionsPrompts(self, request: Any, context: Any) -> Any:
        """Ask nothing when a project is made: toolchain and environment are given."""
        del request, context
        return language_pb2.RuntimeOptionsResponse()

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:
        """Install a directory's `requirements.txt` into the interpreter that programs run in."""
        directory = Path(request.info.program_directory or request.directory)
        requirements = directory / "requirements.txt"
        if not requirements.is_file():
            note = f"{directory} has no requirements.txt: nothing to install\n"
            yield language_pb2.InstallDependenciesResponse(stdout=note.encode())
            return
        command = [sys.executable, "-m", "pip", "install", "-r", str(requirements)]
        child = self._start(command, directory, os.environ, context)
        for name, data in self.children.output(child):
            yield language_pb2.InstallDependenciesResponse(**{name: data})
        if code := child.wait():
            context.abort(grpc.StatusCode.INTERNAL, f"{' '.join(command)} exited with code {code}")

    def Run(self, request: Any, context: Any) -> Any:
        """Run a program to its end and say how it ended.

        Returns:
            An empty response after success; `bail` when the program has reported its error itself; else the
            error.
        """
        run = program.ProgramRun.from_request(request, self._engine_address)
        child = self._start(run.command(), request.pwd, {**os.environ, **run.environment()}, context)
        for name, data in self.children.output(child):
            # The engine shows what a language host writes on its own standard output and error.
            stream = sys.stdout if name == "stdout" else sys.stderr
            stream.buffer.write(data)
            stream.flush()
        return _outcome(child.wait())

    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:
        """Run a policy pack (`kind` analyzer) or a provider written in Python, and stream what it prints."""
        module = "pulumi.policy" if request.kind == "analyzer" else "pulumi.run.plugin"
        command = [sys.executable, "-u", "-m", module, *request.args, request.info.program_directory]
        env = {**os.environ, **_assignments(request.env)}
        child = self._start(command, request.pwd, env, context)
        for name, data in self.children.output(child):
            yield (
                language_pb2.RunPluginResponse(stdout=data)
                if name == "stdout"
                else language_pb2.RunPluginResponse(stderr=data)
            )
        yield language_pb2.RunPluginResponse(exitcode=child.wait())

    def Cancel(self, request: Any, context: Any) -> Any:
        """End everything that runs; the engine is about to stop."""
        del request, context
        self.children.end_all()
        return empty_pb2.Empty()

    def _start(
        self, command: list[str], cwd: str | Path, env: Mapping[str, str], context: Any
    ) -> "subprocess.Popen[bytes]":
        child = self.children.start(command, cwd=cwd, env=env)
        context.add_callback(lambda: self.children.end(child))
        return child


def _outcome(exit_code: int) -> Any:
    if exit_code == 0:
        return language_pb2.RunResponse()
    if exit_code == program.ERROR_REPORTED:
        return language_pb2.RunResponse(bail=True)
    if exit_code < 0:
        return language_pb2.RunResponse(error=f"Program was ended by signal {-exit_code}")
    return language_pb2.RunResponse(error=f"Program exited with non-zero exit code: {exit_code}")


def _assignments(pairs: Iterable[str]) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def _python_version() -> str:
    return ".".join(str(part) for part in sys.version_info[:3])
