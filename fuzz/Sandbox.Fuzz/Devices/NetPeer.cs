using Sandbox.Fuzz.Engine;
using Sandbox.Linux;

namespace Sandbox.Fuzz.Devices;

/// <summary>
/// The other end of the network device's cable. It reads as it likes: everything, little or nothing, so that what leaves has to wait in the device;
/// and so it writes.
/// </summary>
internal abstract class NetPeer : IDisposable
{
    private readonly FdHandle _device;
    private readonly FdHandle _own;
    private int _appetite;

    /// <param name="ends">The device's and its own; owned from here on.</param>
    /// <param name="habit">A byte of the input: how it begins.</param>
    /// <param name="fromGuest">Judges what leaves.</param>
    /// <param name="toGuest">Is told what is written.</param>
    protected NetPeer((FdHandle Device, FdHandle Own) ends, byte habit, FramesFromGuest fromGuest, FramesToGuest toGuest)
    {
        (_device, _own) = ends;
        FromGuest = fromGuest;
        ToGuest = toGuest;
        _ = FdIo.SetNonBlocking(_own.Number, on: true);
        _appetite = AppetiteOf(habit);
        if ((habit & 0x80) == 0)
        {
            SocketBuffers.MakeSmall(_device);
            SocketBuffers.MakeSmall(_own);
        }
    }

    public int DeviceFd => _device.Number;

    protected int Fd => _own.Number;

    protected FramesFromGuest FromGuest { get; }

    protected FramesToGuest ToGuest { get; }

    /// <summary>Room for one frame to the guest and for what stands before it.</summary>
    protected byte[] Scratch { get; } = new byte[4096];

    /// <summary>Before the device's turn: more of what it writes may go.</summary>
    public virtual void Write()
    {
    }

    /// <summary>After the device's turn: it reads as much as it likes.</summary>
    public void Read()
    {
        if (_appetite != 0)
        {
            Read(_appetite);
        }
    }

    public void ReadAllFromNowOn() => _appetite = int.MaxValue;

    /// <summary>Frames for the guest, or other habits.</summary>
    public void Disturb(ref InputReader input)
    {
        if (input.OneIn(4))
        {
            _appetite = AppetiteOf(input.Byte());
            ChangeHabit(ref input);
        }

        for (int count = input.OneIn(4) ? 1 + input.Below(12) : 1; count != 0; count--)
        {
            WriteFrame(ref input);
        }
    }

    public void Dispose()
    {
        _device.Dispose();
        _own.Dispose();
    }

    /// <summary>Reads at most so much, in its own measure.</summary>
    protected abstract void Read(int limit);

    protected abstract void WriteFrame(ref InputReader input);

    protected virtual void ChangeHabit(ref InputReader input)
    {
    }

    /// <summary>A frame for the guest, whose bytes count up from a number of its own: how long it is.</summary>
    protected int PutFrame(ref InputReader input, int at)
    {
        int length = input.OneIn(4) ? 14 + (input.U16() % 3000) : 14 + input.Below(100);
        for (int index = 0; index < length; index++)
        {
            Scratch[at + index] = unchecked((byte)((ToGuest.NextSerial * 17) + index));
        }

        return length;
    }

    // Half of them read everything: what a device does with one that keeps up is worth most of the time.
    private static int AppetiteOf(byte habit) => (habit & 3) switch
    {
        0 or 1 => int.MaxValue,
        2 => 0,
        _ => 1 + ((habit & 0x7C) >> 2),
    };
}
