namespace Sandbox.Boot;

/// <summary>Why a kernel cannot be booted. <see cref="KernelFaults.Describe"/> has the line for the operator.</summary>
public enum KernelFault
{
    None,
    Unreadable,
    Empty,
    TextFile,
    NotAKernel,
    Compressed,
    Truncated,
    BootProtocolTooOld,
    No64BitEntry,
    BadSetupHeader,
    ElfNotX64,
    ElfNotExecutable,
    ElfBadProgramHeaders,
    ElfNoSegments,
    ElfSegmentBeyondFile,
    ElfSegmentBeyondMemory,
    ElfSegmentInLowMemory,
    ElfSegmentsOverlap,
    ElfEntryOutsideSegments,
    NotEnoughMemory,
    CommandLineTooLong,
    CommandLineNotAscii,
    InitrdUnreadable,
    InitrdTooLarge,
}

public static class KernelFaults
{
    /// <summary>One line: what is wrong with the kernel, and the cure. It follows the name of the file.</summary>
    public static string Describe(KernelFault fault) => fault switch
    {
        KernelFault.None => "is sound",
        KernelFault.Unreadable => "cannot be read to its end; check the disk it lies on",
        KernelFault.Empty => "is empty; give a bzImage (vmlinuz) or an ELF vmlinux",
        KernelFault.TextFile => "is a text file, not a kernel; give a bzImage (vmlinuz) or an ELF vmlinux",
        KernelFault.NotAKernel => "is neither a bzImage nor an ELF file; give an x86-64 Linux kernel (vmlinuz or vmlinux)",
        KernelFault.Compressed => "is a compressed file; unpack it first, or give the vmlinuz, which unpacks itself",
        KernelFault.Truncated => "is truncated: it ends before the end that its header tells; copy it again",
        KernelFault.BootProtocolTooOld => "speaks a boot protocol older than 2.12; give a Linux 3.8 or later",
        KernelFault.No64BitEntry => "has no 64-bit entry point; give an x86-64 kernel",
        KernelFault.BadSetupHeader => "has a setup header that contradicts itself; the file is damaged",
        KernelFault.ElfNotX64 => "is an ELF file for another processor; give an x86-64 kernel",
        KernelFault.ElfNotExecutable => "is an ELF file but no executable (an object, library or core file); give a vmlinux",
        KernelFault.ElfBadProgramHeaders => "has damaged ELF program headers",
        KernelFault.ElfNoSegments => "is an ELF file with nothing to load",
        KernelFault.ElfSegmentBeyondFile => "has an ELF segment that reaches beyond the end of the file; it is truncated, copy it again",
        KernelFault.ElfSegmentBeyondMemory => "has an ELF segment beyond the guest's memory; raise --memory, or give a kernel linked lower",
        KernelFault.ElfSegmentInLowMemory => "has an ELF segment below 1 MiB, where the boot tables lie; give a kernel linked at 1 MiB or above",
        KernelFault.ElfSegmentsOverlap => "has ELF segments that overlap; the file is damaged",
        KernelFault.ElfEntryOutsideSegments => "has an entry point outside its segments; the file is damaged, or no kernel",
        KernelFault.NotEnoughMemory => "needs more memory to unpack itself than the guest has; raise --memory",
        KernelFault.CommandLineTooLong => "takes a shorter kernel command line than the one given; shorten it",
        KernelFault.CommandLineNotAscii => "cannot be given this command line: it has a byte that is no printable ASCII",
        KernelFault.InitrdUnreadable => "was read, but its initial RAM disk cannot be read to its end",
        KernelFault.InitrdTooLarge => "leaves too little memory for its initial RAM disk; raise --memory",
        _ => "cannot be booted",
    };
}
