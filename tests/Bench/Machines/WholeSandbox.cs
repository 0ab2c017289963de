using System.Diagnostics;

namespace Sandbox.Bench.Machines;

/// <summary>`sandbox run` around a guest that halts at once: the launcher waits for an agent that never speaks, and every process is there.</summary>
internal sealed class WholeSandbox : IDisposable
{
    private const int LookMilliseconds = 20;
    private const int PatienceMilliseconds = 20_000;

    private readonly Process _launcher;

    private WholeSandbox(Process launcher) => _launcher = launcher;

    public int LauncherId => _launcher.Id;

    /// <summary>Starts it and waits until its last process serves.</summary>
    public static WholeSandbox Start()
    {
        ProcessStartInfo start = new(Place.Exe("sandbox"), ["run", "--kernel", Place.MicroGuest("halt"), "--", "/bin/true"]) { RedirectStandardError = true, RedirectStandardOutput = true };
        WholeSandbox sandbox = new(Process.Start(start)!);
        for (int waited = 0; !sandbox.Parts().Any(static part => part.Name.EndsWith("(rng)", StringComparison.Ordinal)); waited += LookMilliseconds)
        {
            if (waited > PatienceMilliseconds || sandbox._launcher.HasExited)
            {
                sandbox.Dispose();
                throw new InvalidOperationException($"sandbox run did not start: {sandbox._launcher.StandardError.ReadToEnd()}");
            }

            Thread.Sleep(LookMilliseconds);
        }

        Thread.Sleep(TimeSpan.FromSeconds(1)); // its start, and what comes once after it
        return sandbox;
    }

    /// <summary>The children of the launcher, by argv[0]: VMM, devices, and the keeper of the control groups where there are some.</summary>
    public List<(string Name, int Id)> Parts()
    {
        List<(string, int)> parts = [];
        foreach (string thread in Directory.GetDirectories($"/proc/{_launcher.Id}/task"))
        {
            foreach (string id in File.ReadAllText($"{thread}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                parts.Add((File.ReadAllText($"/proc/{id}/cmdline").Split('\0')[0], int.Parse(id)));
            }
        }

        return parts;
    }

    public void Dispose()
    {
        if (!_launcher.HasExited)
        {
            _launcher.Kill(); // its children end with it
        }

        _launcher.WaitForExit();
        _launcher.Dispose();
    }
}
