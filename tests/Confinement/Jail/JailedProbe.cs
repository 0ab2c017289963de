using System.Text;
using Sandbox.Control.Jail;
using Sandbox.Launch;
using Sandbox.Linux;

namespace Sandbox.Confinement.Tests.Jail;

/// <summary>The probe, running in a real jail, with what it said.</summary>
internal sealed class JailedProbe : IDisposable
{
    private readonly FdHandle _hold;

    private JailedProbe(ChildProcess child, FdHandle hold, Dictionary<string, string> findings) => (Child, _hold, Findings) = (child, hold, findings);

    internal ChildProcess Child { get; }

    /// <summary>What the probe wrote, by key.</summary>
    internal Dictionary<string, string> Findings { get; }

    internal static async Task<JailedProbe> StartAsync(JailSpec spec, FdHandle? executable = null, FdHandle? five = null, IReadOnlyList<FdHandle>? groups = null)
    {
        using FdHandle jail = FileOpen.Read(Repository.Exe("sandbox-jail"));
        using FdHandle program = executable ?? FileOpen.Read(CProgram.Probe);
        (FdHandle held, FdHandle hold) = Pipe.Create();
        (FdHandle output, FdHandle childOutput) = Pipe.Create();
        using (held)
        using (output)
        {
            ChildProcess child;
            using (childOutput)
            {
                try
                {
                    child = await JailedSpawner.StartAsync(jail, program, [.. spec.Fds.Select(number => new InheritedFd(number, number == 0 ? held : number == 5 && five is not null ? five : childOutput))], spec, groups);
                }
                catch
                {
                    hold.Dispose();
                    throw;
                }
            }

            return new JailedProbe(child, hold, Read(output));
        }
    }

    internal static JailSpec Spec(uint? id) => new()
    {
        UserId = id,
        GroupId = id,
        Fds = [0, 1, 2, 5],
        Arguments = ["probe", "second argument"],
        MaxOpenFiles = 100,
        MaxProcesses = 20,
    };

    internal string Status(string key) =>
        File.ReadLines($"/proc/{Child.Pid}/status").Single(line => line.StartsWith(key + ":", StringComparison.Ordinal))[(key.Length + 1)..].Trim();

    internal ExitStatus Release()
    {
        _hold.Dispose();
        return Child.Wait();
    }

    public void Dispose()
    {
        _hold.Dispose();
        _ = Child.Kill(9);
        _ = Child.Wait();
        Child.Dispose();
    }

    // The probe says "end" as its last; then it waits, and the pipe stays open.
    private static Dictionary<string, string> Read(FdHandle output)
    {
        StringBuilder text = new();
        byte[] buffer = new byte[4096];
        while (!text.ToString().Contains("\nend 0\n", StringComparison.Ordinal))
        {
            int count = LinuxException.Check(FdIo.Read(output.Number, buffer), "read probe");
            if (count == 0)
            {
                break; // it was killed; what it had not said is missed by the test that wants it
            }

            text.Append(Encoding.ASCII.GetString(buffer, 0, count));
        }

        return text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).ToDictionary(line => line.Split(' ', 2)[0], line => line.Split(' ', 2)[1]);
    }
}
