using System.Buffers.Binary;
using Sandbox.Kvm.Abi;
using Sandbox.Linux;

namespace Sandbox.Kvm;

/// <summary>One virtual processor. One thread runs it; only <see cref="RequestImmediateExit"/> may come from another.</summary>
public sealed unsafe partial class KvmVcpu : IDisposable
{
    private readonly FdHandle _fd;
    private readonly MemoryMapping _runMapping;
    private readonly kvm_run* _run;
    private ulong _portDataOffset;

    internal KvmVcpu(int id, FdHandle fd, MemoryMapping runMapping)
    {
        if (runMapping.LengthBytes < (nuint)sizeof(kvm_run))
        {
            throw new LinuxException($"KVM_GET_VCPU_MMAP_SIZE gave {runMapping.LengthBytes} bytes", Errno.EINVAL);
        }

        Id = id;
        _fd = fd;
        _runMapping = runMapping;
        _run = (kvm_run*)runMapping.Address; // SAFETY: at least one kvm_run long, mapped until Dispose.
    }

    /// <summary>Its number, which is also its APIC id.</summary>
    public int Id { get; }

    /// <summary>Runs the guest until something needs this process. Allocates nothing.</summary>
    public VcpuExit Run()
    {
        int result = KvmCalls.Call(_fd.Number, KvmIoctl.KVM_RUN);
        if (result < 0)
        {
            // EAGAIN: a vCPU that waits for SIPI was woken.
            return -result is (int)Errno.EINTR or (int)Errno.EAGAIN
                ? new VcpuExit(VcpuExitKind.Interrupted)
                : new VcpuExit(VcpuExitKind.HostError, (ulong)-result);
        }

        // SAFETY: _run is mapped while this object lives; after KVM_RUN has returned nobody else writes the page.
        uint reason = _run->exit_reason;
        return reason switch
        {
            KvmConstant.KVM_EXIT_IO => ReadPortExit(_run->io),
            KvmConstant.KVM_EXIT_MMIO => ReadMmioExit(_run->mmio),
            KvmConstant.KVM_EXIT_INTR => new VcpuExit(VcpuExitKind.Interrupted),
            KvmConstant.KVM_EXIT_HLT => new VcpuExit(VcpuExitKind.Halted),
            KvmConstant.KVM_EXIT_SHUTDOWN => new VcpuExit(VcpuExitKind.TripleFault),
            KvmConstant.KVM_EXIT_INTERNAL_ERROR => new VcpuExit(VcpuExitKind.InternalError, _run->@internal.suberror, _run->@internal.data),
            KvmConstant.KVM_EXIT_FAIL_ENTRY => new VcpuExit(VcpuExitKind.EntryFailed, _run->fail_entry.hardware_entry_failure_reason),
            _ => new VcpuExit(VcpuExitKind.Unexpected, reason),
        };
    }

    /// <summary>Copies what the guest put out in access <paramref name="index"/> of the last port exit.</summary>
    public void CopyPortOutput(in VcpuExit exit, uint index, Span<byte> destination) => PortData(exit, index, destination.Length).CopyTo(destination);

    /// <summary>Gives the guest what it reads in access <paramref name="index"/> of the last port exit, before the next run.</summary>
    public void ReplyPort(in VcpuExit exit, uint index, ReadOnlySpan<byte> source) => source.CopyTo(PortData(exit, index, source.Length));

    /// <summary>Gives the guest what it reads in the last memory exit, before the next run.</summary>
    public void ReplyMmio(ReadOnlySpan<byte> source) => source.CopyTo(_run->mmio.data); // SAFETY: the shared page; the copy is bound to the eight bytes of the field.

    /// <summary>The next, or the current, KVM_RUN returns as soon as it looks: a running vCPU needs a signal besides.</summary>
    public void RequestImmediateExit() => Volatile.Write(ref _run->immediate_exit, 1); // SAFETY: mapped while this object lives.

    public void Dispose()
    {
        _runMapping.Dispose();
        _fd.Dispose();
    }

    private static VcpuExit ReadMmioExit(kvm_run_mmio mmio) =>
        mmio.len is >= 1 and <= 8
            ? new VcpuExit(VcpuExitKind.Mmio, mmio.phys_addr, mmio.len, 1, mmio.is_write != 0, BinaryPrimitives.ReadUInt64LittleEndian(mmio.data))
            : new VcpuExit(VcpuExitKind.Unexpected, KvmConstant.KVM_EXIT_MMIO);

    private VcpuExit ReadPortExit(kvm_run_io io)
    {
        // The kernel keeps size * count within a page behind the struct; what it says is checked all the same.
        ulong lengthBytes = (ulong)io.size * io.count;
        ulong mappedBytes = _runMapping.LengthBytes;
        if (io.size is not (1 or 2 or 4) || io.data_offset > mappedBytes || lengthBytes > mappedBytes - io.data_offset)
        {
            return new VcpuExit(VcpuExitKind.Unexpected, KvmConstant.KVM_EXIT_IO);
        }

        _portDataOffset = io.data_offset;
        return new VcpuExit(VcpuExitKind.Port, io.port, io.size, io.count, io.direction == KvmConstant.KVM_EXIT_IO_OUT, 0);
    }

    private Span<byte> PortData(in VcpuExit exit, uint index, int lengthBytes)
    {
        if (exit.Kind != VcpuExitKind.Port || index >= exit.Count || lengthBytes != exit.SizeBytes)
        {
            throw new ArgumentOutOfRangeException(nameof(index), "not an access of the last port exit");
        }

        // SAFETY: ReadPortExit checked that offset + size * count lies inside the mapping, and index is below count.
        return new Span<byte>((byte*)_run + _portDataOffset + (index * exit.SizeBytes), lengthBytes);
    }
}
