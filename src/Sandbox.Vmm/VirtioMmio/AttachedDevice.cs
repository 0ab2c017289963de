using Sandbox.Control.Launch;
using Sandbox.Linux;

namespace Sandbox.Vmm.VirtioMmio;

/// <summary>A device of the machine: its registers and what is behind them. Calls come from the main thread and wait for a vCPU that is in the registers.</summary>
/// <param name="device">As the launch spec has it.</param>
/// <param name="place">Its place in the spec.</param>
/// <param name="backend">The frontend of its backend.</param>
/// <param name="transport">Its registers.</param>
internal sealed class AttachedDevice(VmmDevice device, int place, VhostUserDevice backend, VirtioMmioTransport transport)
{
    /// <summary>A backend that goes is replaced by the launcher.</summary>
    public bool Replaceable => device.Replaceable;

    /// <summary>For messages.</summary>
    public string Name => $"device {place} ({device.Kind})";

    /// <summary>The socket of its backend, borrowed.</summary>
    public int Socket => backend.Socket;

    /// <summary>Readable when its backend found a broken ring. Borrowed.</summary>
    public int ErrorEvent => backend.ErrorEvent;

    /// <summary>How often the driver broke a ring.</summary>
    public ulong RingFaults { get; private set; }

    /// <summary>Goes on with another backend; the driver is told when its configuration differs. False when that one is of no use: the loss has been told.</summary>
    public bool Replace(FdHandle socket)
    {
        lock (transport)
        {
            bool replaced = backend.Replace(socket);
            if (backend.TakeConfigChange())
            {
                transport.ConfigurationChanged();
            }

            return replaced;
        }
    }

    /// <summary>A ring is broken: the device needs a reset. Counted; true for the first time.</summary>
    public bool TakeRingFault()
    {
        lock (transport)
        {
            // One of a ring that was reset meanwhile has been taken away.
            if (!backend.TakeRingFault() || !transport.DemandReset())
            {
                return false;
            }
        }

        RingFaults++;
        return RingFaults == 1;
    }
}
