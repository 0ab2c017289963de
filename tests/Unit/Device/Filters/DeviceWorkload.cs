using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.Testing;
using Sandbox.VhostUser;

namespace Sandbox.Unit.Tests.Device.Filters;

/// <summary>A session with a device process that brings about everything its kind ever does.</summary>
internal abstract class DeviceWorkload : IDisposable
{
    private const int PatienceMilliseconds = 60_000;

    private readonly FdHandle _call = EventFd.Create();
    private DeviceProcess? _process;

    protected TestGuest Guest { get; } = new();

    protected FdHandle Call => _call;

    protected DeviceProcess Process => _process ?? throw new InvalidOperationException("the session has not begun");

    protected abstract DeviceLaunchSpec Spec { get; }

    protected abstract FdHandle[] Backings { get; }

    /// <summary>Serves the whole session, if the process lives that long. How it ended.</summary>
    public ExitStatus Serve(string executable)
    {
        DeviceProcess process = DeviceProcess.StartOther(executable, Spec, Backings);
        _process = process;
        try
        {
            if (process.ReceiveControl(out _) == LaunchMessageType.Ready)
            {
                process.Frontend.Negotiate(Guest);
                Drive();
                process.Frontend.SendMemory(Guest); // a new table in the place of the old
                _ = process.Frontend.StopRing(0);
                Settle();
            }

            process.Frontend.Dispose();
        }
        catch (Exception failure) when (failure is LinuxException or EndOfStreamException)
        {
            // It died on the way: its exit status tells of what.
        }

        return process.WaitForExit();
    }

    public virtual void Dispose()
    {
        _process?.Dispose();
        _call.Dispose();
        Guest.Dispose();
    }

    /// <summary>From the first ring on.</summary>
    /// <exception cref="EndOfStreamException">The process has ended.</exception>
    protected abstract void Drive();

    /// <summary>Waits until something is so.</summary>
    /// <exception cref="EndOfStreamException">The process has ended.</exception>
    /// <exception cref="TimeoutException">It never was.</exception>
    protected void Await(Func<bool> condition, string what)
    {
        for (int waited = 0; !condition(); waited++)
        {
            if (Process.HasEnded)
            {
                throw new EndOfStreamException(what);
            }

            if (waited > PatienceMilliseconds)
            {
                throw new TimeoutException($"waited in vain for {what}");
            }

            Thread.Sleep(1);
        }
    }

    /// <summary>Waits until the process has seen what came before: an answer to a message may overtake the work of its own round, not that of the one before.</summary>
    protected void Settle()
    {
        _ = Process.Frontend.AskValue(FrontendRequest.GetFeatures);
        _ = Process.Frontend.AskValue(FrontendRequest.GetFeatures);
    }
}
