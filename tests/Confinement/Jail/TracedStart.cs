using System.Globalization;
using System.Text;
using Sandbox.Control.Jail;
using Sandbox.Launch;
using Sandbox.Linux;

namespace Sandbox.Confinement.Tests.Jail;

/// <summary>A system call of the jail stage.</summary>
/// <param name="Index">Its place among all.</param>
/// <param name="InChild">Whether the process that goes on to the exe made it, or the stage that it came from.</param>
/// <param name="Number">Its number (asm/unistd_64.h).</param>
/// <param name="Nanoseconds">From its entry to its exit, with what the tracing costs.</param>
internal sealed record StageCall(int Index, bool InChild, int Number, long Nanoseconds);

/// <summary>One start by the real launcher of the real jail, with the tracer beside it.</summary>
/// <param name="Calls">The calls that were made to their end.</param>
/// <param name="Failure">Why the launcher says it did not start; null when it says that it did.</param>
/// <param name="HasSpoken">Whether the program behind the jail ran.</param>
/// <param name="Status">How the process that the launcher was given ended.</param>
internal sealed record TracedStart(IReadOnlyList<StageCall> Calls, Exception? Failure, bool HasSpoken, ExitStatus? Status)
{
    internal const int Line = 6;
    internal const int Stage = 7;
    internal const int Trace = 8;

    internal static async Task<TracedStart> RunAsync(string mode, int index, JailSpec spec)
    {
        using FdHandle tracer = FileOpen.Read(CProgram.Tracer);
        using FdHandle jail = FileOpen.Read(Repository.Exe("sandbox-jail"));
        using FdHandle probe = FileOpen.Read(CProgram.Probe);
        (FdHandle tracersLine, FdHandle stagesLine) = UnixSocket.CreatePair();
        (FdHandle trace, FdHandle tracersOutput) = Pipe.Create();
        (FdHandle held, FdHandle hold) = Pipe.Create();
        (FdHandle output, FdHandle childOutput) = Pipe.Create();
        using (trace)
        using (output)
        {
            ChildProcess watcher = Spawner.Spawn(new SpawnSpec
            {
                Executable = tracer,
                Arguments = ["tracer", mode, index.ToString(CultureInfo.InvariantCulture)],
                Fds = [new(2, tracersOutput), new(Trace, tracersOutput), new(Line, tracersLine)],
            });
            tracersLine.Dispose();
            tracersOutput.Dispose();
            ChildProcess? child = null;
            Exception? failure = null;
            try
            {
                child = await JailedSpawner.StartAsync(
                    tracer, // it stands in for the jail until it is traced, and then executes it
                    probe,
                    [new(0, held), new(1, childOutput), new(2, childOutput), new(5, childOutput), new(Line, stagesLine), new(Stage, jail)],
                    spec);
            }
            catch (Exception error) when (error is JailException or LinuxException)
            {
                failure = error;
            }

            held.Dispose();
            hold.Dispose(); // the probe ends when it has spoken
            childOutput.Dispose();
            stagesLine.Dispose();
            List<StageCall> calls = CallsIn(ReadToEnd(trace));
            _ = watcher.Wait();
            watcher.Dispose();
            bool spoke = ReadToEnd(output).Contains("end 0\n", StringComparison.Ordinal);
            ExitStatus? status = child?.Wait();
            child?.Dispose();
            return new TracedStart(calls, failure, spoke, status);
        }
    }

    internal static JailSpec Spec(uint? id) => new()
    {
        UserId = id,
        GroupId = id,
        Fds = [0, 1, 2, 5, Line, Stage],
        Arguments = ["probe"],
        MaxOpenFiles = 100,
        MaxProcesses = 20,
        MaxFileBytes = 1 << 20,
    };

    internal static List<StageCall> CallsIn(string trace) =>
    [
        .. from line in trace.Split('\n')
           where line.StartsWith("call ", StringComparison.Ordinal)
           let words = line.Split(' ')
           select new StageCall(Number(words[1]), words[2] == "1", Number(words[3]), long.Parse(words[4], CultureInfo.InvariantCulture)),
    ];

    internal static string ReadToEnd(FdHandle pipe)
    {
        StringBuilder text = new();
        byte[] buffer = new byte[4096];
        int count;
        while ((count = LinuxException.Check(FdIo.Read(pipe.Number, buffer), "read")) > 0)
        {
            text.Append(Encoding.ASCII.GetString(buffer, 0, count));
        }

        return text.ToString();
    }

    private static int Number(string word) => int.Parse(word, CultureInfo.InvariantCulture);
}
