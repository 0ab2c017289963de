using System.Globalization;
using Sandbox.Init.Agent;
using Sandbox.Init.Boot;
using Sandbox.Linux;
using Sandbox.Linux.Guest;

namespace Sandbox.Init;

/// <summary>
/// sandbox-init: PID 1 and agent of a guest. As an ordinary process it only serves the agent protocol on an fd it is given
/// (<c>--agent-on-fd N</c>), which is how the agent is tested without a guest.
/// </summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        long started = MonotonicClock.Nanoseconds;
        GuestKernel.IgnoreBrokenPipes();
        if (Environment.ProcessId == 1)
        {
            RunGuest(started);
            int error = GuestKernel.PowerOff();
            GuestConsole.Line($"power off failed: errno {-error}");
            return 1;
        }

        if (arguments is ["--agent-on-fd", string number] && int.TryParse(number, CultureInfo.InvariantCulture, out int fd) && fd >= 0)
        {
            using FdHandle connection = new(fd);
            using AgentServer server = new(connection, new BorrowedMachine());
            return server.Run(started) ? 0 : 1;
        }

        GuestConsole.Line("runs as PID 1 of a guest; the host starts it by `sandbox run`");
        return 2;
    }

    /// <summary>Boots and serves. Whatever the reason for coming back, the machine ends: nobody is there to use it.</summary>
    private static void RunGuest(long started)
    {
        try
        {
            EarlyMounts.Mount();
            ModuleLoader.LoadAll();
            using FdHandle connection = HostConnection.Open();
            using AgentServer server = new(connection, new BootedMachine());
            if (server.Run(started))
            {
                AwaitHostClose(connection);
            }
        }
        catch (BootException failure)
        {
            GuestConsole.Line($"{failure.Stage}: {failure.Operation}: errno {(int)failure.Errno}");
        }
        catch (LinuxException failure)
        {
            GuestConsole.Line(failure.Message);
        }
    }

    /// <summary>The last frame is read when the host closes; power goes off after that, or after a second at most.</summary>
    private static void AwaitHostClose(FdHandle connection)
    {
        using Epoll epoll = new();
        epoll.Add(connection.Number, EpollEvents.Readable | EpollEvents.PeerClosed, 0);
        EpollReady[] ready = new EpollReady[1];
        _ = epoll.Wait(ready, 1000);
    }
}
