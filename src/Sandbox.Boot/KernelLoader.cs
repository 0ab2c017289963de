using Sandbox.Boot.Acpi;
using Sandbox.Boot.Elf;
using Sandbox.Boot.Linux;
using Sandbox.Boot.Pvh;
using Sandbox.Memory;

namespace Sandbox.Boot;

/// <summary>
/// Puts kernel, initial RAM disk, command line, boot structures and ACPI tables into guest memory. Files are an operator's, but they are
/// read as if a stranger had made them: every number is checked before it is used, and nothing is allocated by it.
/// </summary>
public static class KernelLoader
{
    /// <summary>
    /// Loads everything. Guest memory must be fresh (all zero): what a segment does not fill from the file is not cleared.
    /// </summary>
    /// <param name="kernel">A bzImage or an ELF vmlinux.</param>
    /// <param name="initrd">Initial RAM disk, or null.</param>
    /// <param name="commandLine">Printable ASCII without a closing NUL.</param>
    /// <param name="machine">What the tables describe.</param>
    /// <param name="memory">Guest memory as <see cref="GuestLayout.GetMemoryRegions"/> lays it out.</param>
    /// <param name="plan">How to start the first processor.</param>
    /// <returns><see cref="KernelFault.None"/>, or why nothing can be started.</returns>
    public static KernelFault Load(
        IBootFile kernel, IBootFile? initrd, ReadOnlySpan<byte> commandLine, in BootMachine machine, GuestMemory memory, out BootPlan plan)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(machine.CpuCount, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(machine.CpuCount, GuestLayout.MaxCpus);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)machine.VirtioDeviceCount, (uint)GuestLayout.MaxVirtioDevices);
        plan = default;
        KernelFault fault = CheckCommandLine(commandLine);
        if (fault == KernelFault.None)
        {
            fault = LoadImage(kernel, machine, memory, out LoadedKernel loaded);
            if (fault == KernelFault.None)
            {
                fault = commandLine.Length > loaded.MaxCommandLineBytes ? KernelFault.CommandLineTooLong : KernelFault.None;
            }

            Extent ramDisk = default;
            if (fault == KernelFault.None && initrd is not null)
            {
                fault = InitrdLoader.Load(initrd, loaded, machine, memory, out ramDisk);
            }

            if (fault == KernelFault.None)
            {
                plan = WriteTables(loaded, ramDisk, commandLine, machine, memory);
            }
        }

        return fault;
    }

    private static KernelFault LoadImage(IBootFile kernel, in BootMachine machine, GuestMemory memory, out LoadedKernel loaded)
    {
        loaded = default;
        KernelFault fault = ImageFormats.Recognise(kernel, out ImageFormat format);
        if (fault != KernelFault.None)
        {
            return fault;
        }

        return format == ImageFormat.BzImage
            ? BzImageLoader.Load(kernel, machine, memory, out loaded)
            : ElfLoader.Load(kernel, machine, memory, out loaded);
    }

    private static BootPlan WriteTables(
        in LoadedKernel loaded, Extent ramDisk, ReadOnlySpan<byte> commandLine, in BootMachine machine, GuestMemory memory)
    {
        GuestTables.Write(memory, GuestLayout.CommandLine, commandLine); // the NUL after it is there: fresh memory
        GuestAddress rsdp = AcpiTables.Write(memory, machine);
        if (loaded.Entry == BootEntry.Pvh)
        {
            ProtectedModeTables.Write(memory);
            PvhStartInfo.Write(memory, machine, ramDisk, rsdp);
            return new BootPlan(BootEntry.Pvh, loaded.EntryPoint, GuestLayout.PvhStartInfo);
        }

        LongModeTables.Write(memory);
        ZeroPage.Write(memory, loaded.SetupHeader, machine, ramDisk, commandLine.Length, rsdp);
        return new BootPlan(BootEntry.Linux64, loaded.EntryPoint, GuestLayout.ZeroPage);
    }

    private static KernelFault CheckCommandLine(ReadOnlySpan<byte> commandLine)
    {
        if (commandLine.Length > GuestLayout.MaxCommandLineBytes)
        {
            return KernelFault.CommandLineTooLong;
        }

        return commandLine.ContainsAnyExceptInRange((byte)0x20, (byte)0x7E) ? KernelFault.CommandLineNotAscii : KernelFault.None;
    }
}
