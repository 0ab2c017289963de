using System.Text;
using Sandbox.Boot;
using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Guest;
using Sandbox.Linux;
using Sandbox.Memory;

namespace Sandbox.Fuzz.Targets;

/// <summary>The kernel loaders: any file gives a fault or a guest that is whole. Nothing is written outside memory, over another part, or without end.</summary>
internal sealed class BootFuzzer : IFuzzer, IDisposable
{
    private const ulong MemoryBytes = 0x20_0000;
    private const ulong InitrdLengthOffset = 0x7000 + 0x21C;
    private const ulong InitrdAddressOffset = 0x7000 + 0x218;
    private const byte InitrdFill = 0xAD;

    private readonly GuestAuditor _auditor = new();
    private readonly FdHandle _file;
    private readonly GuestMemory _memory;
    private readonly byte[] _image = new byte[KernelImage.MaxBytes];
    private readonly byte[] _initrdContent = new byte[64 * 1024];
    private readonly MemoryBootFile _kernel = new();
    private readonly MemoryBootFile _initrd = new();

    public BootFuzzer()
    {
        GuestWatch.Watcher = _auditor;
        _file = MemFd.CreateSealed("fuzz-boot", (long)MemoryBytes);
        _memory = GuestMemory.Map(_file.Number, GuestLayout.GetMemoryRegions(MemoryBytes));
        Array.Fill(_initrdContent, InitrdFill);
    }

    public string Name => "boot";

    public string Subject => "kernel loaders: bzImage, ELF, PVH notes, initial RAM disk";

    public bool MayCrash => true;

    public int MaxInputBytes => 256;

    public void Run(ReadOnlySpan<byte> bytes)
    {
        InputReader input = new(bytes);
        GuestWatch.Watcher = _auditor;
        _auditor.Begin(strict: false);
        ulong memory = input.OneIn(4) ? 0x1000ul * (0x101u + input.Byte()) : MemoryBytes;
        BootMachine machine = new(Math.Min(memory, MemoryBytes), 1 + input.Below(254), input.Below(17));
        _kernel.Set(_image, KernelImage.Build(ref input, _image));
        bool hasInitrd = input.OneIn(2);
        int initrdBytes = input.U16() % _initrdContent.Length;
        _initrd.Set(_initrdContent, initrdBytes);
        byte[] commandLine = input.OneIn(8) ? [.. input.Bytes(64)] : Encoding.ASCII.GetBytes(new string('x', input.OneIn(3) ? input.U16() % 2100 : 20));
        long before = Allocation.Now;
        KernelFault fault = KernelLoader.Load(_kernel, hasInitrd ? _initrd : null, commandLine, machine, _memory, out BootPlan plan);
        Allocation.Require(before, 64 * 1024, "loading a kernel"); // the ACPI tables of 254 processors
        Reached.Note(1, (int)fault);
        if (_kernel.Reads > 20_000)
        {
            throw new FindingException($"boot: {_kernel.Reads} reads of one file");
        }

        if (fault != KernelFault.None)
        {
            return;
        }

        Reached.Note(2, (int)plan.Entry);
        if (plan.EntryPoint.Value < GuestLayout.KernelMemoryStart || plan.EntryPoint.Value >= machine.MemoryBytes)
        {
            throw new FindingException($"boot: the entry point {plan.EntryPoint} is no kernel memory");
        }

        if (hasInitrd && initrdBytes != 0 && plan.Entry == BootEntry.Linux64)
        {
            JudgeInitrd(initrdBytes, plan, machine);
        }
    }

    public void Dispose()
    {
        _memory.Dispose();
        _file.Dispose();
        GuestWatch.Watcher = null;
    }

    private void JudgeInitrd(int length, BootPlan plan, in BootMachine machine)
    {
        uint address = Read32(InitrdAddressOffset);
        uint said = Read32(InitrdLengthOffset);
        if (said != (uint)length || address < GuestLayout.KernelMemoryStart || address + (ulong)said > machine.MemoryBytes)
        {
            throw new FindingException($"boot: an initial RAM disk of {length} bytes is told as {said} at 0x{address:x}");
        }

        // The tables are written after it, the kernel before: it must be whole, and not where the kernel starts.
        byte[] content = new byte[length];
        _auditor.Muted = true;
        _ = _memory.TryRead(new GuestAddress(address), content);
        _auditor.Muted = false;
        if (content.AsSpan().ContainsAnyExcept(InitrdFill) || (plan.EntryPoint.Value >= address && plan.EntryPoint.Value < address + (ulong)length))
        {
            throw new FindingException("boot: the initial RAM disk and something else share memory");
        }
    }

    private uint Read32(ulong address)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        _auditor.Muted = true;
        _ = _memory.TryRead(new GuestAddress(address), bytes);
        _auditor.Muted = false;
        return BitConverter.ToUInt32(bytes);
    }
}
