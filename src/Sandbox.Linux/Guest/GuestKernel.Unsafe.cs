using System.Buffers.Binary;
using System.Text;

namespace Sandbox.Linux.Guest;

/// <summary>What the guest's PID 1 asks of its kernel. Every method returns 0 or the negated error number.</summary>
public static unsafe class GuestKernel
{
    private const int FiniteModule = 313; // __NR_finit_module, x86-64
    private const nuint AddEntropy = 0x40085203; // RNDADDENTROPY, linux/random.h

    /// <summary>finit_module(2): loads the module in an open file.</summary>
    public static int LoadModule(FdHandle module)
    {
        byte noOptions = 0;
        // SAFETY: an empty NUL-terminated option string.
        return GuestLibc.Result((int)Abi.Glibc.SystemCall(FiniteModule, module.Number, (nint)(&noOptions), 0, 0, 0, 0));
    }

    /// <summary>sethostname(2).</summary>
    public static int SetHostName(string name)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(name);
        fixed (byte* pointer = bytes) // SAFETY: the kernel reads exactly bytes.Length bytes.
        {
            return GuestLibc.Result(GuestLibc.sethostname(pointer, (nuint)bytes.Length));
        }
    }

    /// <summary>Sets CLOCK_REALTIME, in nanoseconds since 1970.</summary>
    public static int SetRealtime(long nanoseconds)
    {
        GuestLibc.Timespec time = new() { Seconds = nanoseconds / 1_000_000_000, Nanoseconds = nanoseconds % 1_000_000_000 };
        return GuestLibc.Result(GuestLibc.clock_settime(0, &time)); // SAFETY: a local struct, read during the call.
    }

    /// <summary>Feeds the kernel's random generator and credits eight bits for each byte (random(4), RNDADDENTROPY).</summary>
    public static int CreditEntropy(FdHandle urandom, ReadOnlySpan<byte> seed)
    {
        // struct rand_pool_info { int entropy_count (bits); int buf_size (bytes); u32 buf[]; }
        Span<byte> pool = stackalloc byte[8 + 256];
        if (seed.Length > pool.Length - 8)
        {
            return -(int)Errno.EINVAL;
        }

        BinaryPrimitives.WriteInt32LittleEndian(pool, seed.Length * 8);
        BinaryPrimitives.WriteInt32LittleEndian(pool[4..], seed.Length);
        seed.CopyTo(pool[8..]);
        fixed (byte* pointer = pool) // SAFETY: buf_size tells the kernel the true length.
        {
            return GuestLibc.Result(GuestLibc.ioctl(urandom.Number, AddEntropy, pointer));
        }
    }

    /// <summary>sync(2).</summary>
    public static void FlushFileSystems() => GuestLibc.sync();

    /// <summary>Ends the machine (reboot(2), LINUX_REBOOT_CMD_POWER_OFF). Returns only on failure.</summary>
    public static int PowerOff() => GuestLibc.Result(GuestLibc.reboot(0x4321FEDC));

    /// <summary>A write to a closed pipe or socket gives EPIPE instead of the signal.</summary>
    public static void IgnoreBrokenPipes()
    {
        const int BrokenPipe = 13;
        const int Ignore = 1; // SIG_IGN
        _ = GuestLibc.signal(BrokenPipe, Ignore);
    }
}
