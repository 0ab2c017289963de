using Sandbox.Control.Agent;
using Sandbox.Init.Agent;
using Sandbox.Linux;
using Sandbox.Linux.Guest;

namespace Sandbox.Init.Boot;

/// <summary>The guest's machine, with this process as its PID 1.</summary>
internal sealed class BootedMachine : IGuestMachine
{
    public FailedMessage? Configure(ConfigureMessage configuration)
    {
        try
        {
            GuestSettings.Apply(configuration);
            if (configuration.Network is { } network)
            {
                NetworkSettings.SetInterface(network);
            }

            RootMount.Switch(configuration);
            if (configuration is { Network.NameServers.Count: > 0, WritableOverlay: true })
            {
                NetworkSettings.WriteNameServers(configuration.Network.NameServers);
            }

            return null;
        }
        catch (BootException failure)
        {
            GuestConsole.Line($"{failure.Stage}: {failure.Operation}: errno {(int)failure.Errno}");
            return failure.ToMessage();
        }
        catch (LinuxException failure)
        {
            BootException step = new(BootStage.Settings, failure.Operation, failure.Errno);
            GuestConsole.Line(failure.Message);
            return step.ToMessage();
        }
    }

    public void Stop()
    {
        _ = ChildProcesses.KillAllOthers();
        GuestKernel.FlushFileSystems();
        UnmountDisks();
    }

    /// <summary>A disk that the user mounted is left clean. Later mounts first: one may lie in another.</summary>
    private static void UnmountDisks()
    {
        try
        {
            string[] mounts = File.ReadAllLines("/proc/self/mounts");
            for (int index = mounts.Length - 1; index >= 0; index--)
            {
                string[] fields = mounts[index].Split(' ');
                if (fields.Length > 1 && fields[0].StartsWith("/dev/vd", StringComparison.Ordinal))
                {
                    _ = GuestFiles.Unmount(fields[1], detach: false);
                }
            }
        }
        catch (IOException)
        {
            // Everything is written; only the mark "clean" is missing.
        }
    }
}
