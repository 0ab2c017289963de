using System.Diagnostics;
using System.Runtime.InteropServices;
using Sandbox.Linux;
using Sandbox.Seccomp;

namespace Sandbox.Unit.Tests.Seccomp;

/// <summary>Has the kernel of this machine judge system calls by a filter, in processes of their own.</summary>
internal static class KernelJudge
{
    private const int HeaderBytes = 8;
    private const int FileNumber = 3;

    private static readonly Lazy<string> Program = new(Compile);

    /// <summary>Makes the calls one after the other under a filter, as far as the process lives; what they returned is in them then.</summary>
    internal static ExitStatus Judge(ReadOnlySpan<byte> filter, Span<KernelCall> calls)
    {
        byte[] file = new byte[HeaderBytes + (FilterCompiler.MaxInstructions * BpfInstruction.SizeBytes) + (calls.Length * Marshal.SizeOf<KernelCall>())];
        Span<byte> table = file.AsSpan(HeaderBytes + (FilterCompiler.MaxInstructions * BpfInstruction.SizeBytes));
        BitConverter.TryWriteBytes(file, calls.Length);
        BitConverter.TryWriteBytes(file.AsSpan(sizeof(int)), filter.Length / BpfInstruction.SizeBytes);
        filter.CopyTo(file.AsSpan(HeaderBytes));
        MemoryMarshal.AsBytes(calls).CopyTo(table);
        using FdHandle shared = MemFd.Create("calls");
        Assert.Equal(0, FdIo.WriteAll(shared.Number, file));
        ExitStatus status = Run(shared);
        Assert.Equal(table.Length, FdIo.ReadAt(shared.Number, table, file.Length - table.Length));
        table.CopyTo(MemoryMarshal.AsBytes(calls));
        return status;
    }

    private static ExitStatus Run(FdHandle shared)
    {
        using FdHandle exe = FileOpen.Read(Program.Value);
        using FdHandle nothing = FileOpen.ReadWrite("/dev/null");
        using ChildProcess process = Spawner.Spawn(new SpawnSpec
        {
            Executable = exe,
            Arguments = ["judge"],
            Fds = [new(0, nothing), new(1, nothing), new(2, nothing), new(FileNumber, shared)],
        });
        return process.Wait();
    }

    private static string Compile()
    {
        string source = Path.Combine(Path.GetDirectoryName(Testing.Filters.PolicyFiles.Folder)!, "tests", "Unit", "Seccomp", "judge.c");
        string output = Path.Combine(AppContext.BaseDirectory, "seccomp-judge");
        using Process compiler = Process.Start(new ProcessStartInfo("gcc", ["-static-pie", "-O1", "-Wall", "-Werror", "-o", output, source]) { RedirectStandardError = true })!;
        string errors = compiler.StandardError.ReadToEnd();
        compiler.WaitForExit();
        return compiler.ExitCode == 0 ? output : throw new InvalidOperationException(errors);
    }
}
