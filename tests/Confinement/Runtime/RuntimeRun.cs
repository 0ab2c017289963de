using Sandbox.Linux;

namespace Sandbox.Confinement.Tests.Runtime;

/// <summary>A process of tests/TestRuntime: a runtime as the product's, under the product's filters.</summary>
internal sealed class RuntimeRun : IDisposable
{
    private const int PatienceMilliseconds = 60_000;

    private readonly FdHandle _input;
    private readonly FdHandle _output;

    private RuntimeRun(ChildProcess process, FdHandle input, FdHandle output) => (Process, _input, _output) = (process, input, output);

    internal static string Executable
    {
        get
        {
            string path = Path.Combine(Repository.Root, "artifacts", "tests-bin", "sandbox-testruntime");
            return File.Exists(path) ? path : throw new FileNotFoundException($"{path} is missing: run `make test-jail` first");
        }
    }

    internal ChildProcess Process { get; }

    internal static RuntimeRun Start(string mode, string? executable = null)
    {
        using FdHandle exe = FileOpen.Read(executable ?? Executable);
        using FdHandle nothing = FileOpen.ReadWrite("/dev/null");
        (FdHandle childInput, FdHandle input) = Pipe.Create();
        (FdHandle output, FdHandle childOutput) = Pipe.Create();
        using (childInput)
        using (childOutput)
        {
            ChildProcess process = Testing.Filters.ChangedExe.Spawn(new SpawnSpec
            {
                Executable = exe,
                Arguments = ["sandbox-testruntime", mode],
                Fds = [new(0, childInput), new(1, childOutput), new(2, nothing)],
            });
            return new RuntimeRun(process, input, output);
        }
    }

    /// <summary>Runs a mode to its end.</summary>
    internal static ExitStatus Run(string mode, string? executable = null)
    {
        using RuntimeRun run = Start(mode, executable);
        return run.WaitForEnd();
    }

    internal void AwaitWord()
    {
        Assert.Equal(1, Poll.Wait(_output.Number, PollEvents.Readable, PatienceMilliseconds, out _));
        Assert.Equal(1, FdIo.Read(_output.Number, new byte[1]));
    }

    internal void Answer() => Assert.Equal(1, FdIo.Write(_input.Number, "a"u8));

    /// <summary>How it ended; one that hangs is a failure.</summary>
    internal ExitStatus WaitForEnd()
    {
        Assert.Equal(1, Poll.Wait(Process.PidFd.Number, PollEvents.Readable, PatienceMilliseconds, out _));
        return Process.Wait();
    }

    public void Dispose()
    {
        if (!Process.TryWait(out _))
        {
            _ = Process.Kill(9);
            _ = Process.Wait();
        }

        Process.Dispose();
        _input.Dispose();
        _output.Dispose();
    }
}
