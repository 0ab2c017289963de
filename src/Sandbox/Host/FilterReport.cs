using System.Buffers.Binary;
using System.Text;
using Sandbox.Launch;
using Sandbox.Linux;
using Sandbox.Runtime;

namespace Sandbox.Host;

/// <summary>A system call that a filter does not kill for.</summary>
public sealed class FilteredCall(string name, bool argumentsChecked, int errorNumber)
{
    /// <summary>Its name.</summary>
    public string Name => name;

    /// <summary>Whether it is granted for some arguments only.</summary>
    public bool ArgumentsChecked => argumentsChecked;

    /// <summary>It fails with this error number instead of being granted; 0: it is granted.</summary>
    public int ErrorNumber => errorNumber;
}

/// <summary>A seccomp filter as it lies in a built exe: read out of the file, and judged by walking through the program, not by its source.</summary>
public sealed class FilterReport(string executable, string name, IReadOnlyList<FilteredCall> calls)
{
    // Sandbox.Seccomp's FilterSource writes this in front of each filter; then the length of the name, the name, and the number of instructions.
    private static readonly byte[] Magic = Encoding.ASCII.GetBytes("sandbox-filter/1");

    private const int MaxExeBytes = 64 << 20;
    private const int HighestSyscall = 1023;
    private const uint Allow = 0x7FFF_0000; // SECCOMP_RET_ALLOW
    private const uint Errno = 0x0005_0000; // SECCOMP_RET_ERRNO
    private const uint ActionMask = 0xFFFF_0000; // SECCOMP_RET_ACTION_FULL

    /// <summary>File name of the exe.</summary>
    public string Executable => executable;

    /// <summary>Of its policy (seccomp/README.md): exe, kind of thread or device, stage.</summary>
    public string Name => name;

    /// <summary>In the order of their numbers; any other call kills the process.</summary>
    public IReadOnlyList<FilteredCall> Calls => calls;

    /// <summary>The filters of the installed exes, in the order of their names.</summary>
    /// <param name="executableDirectory">As <see cref="MicroVmOptions.ExecutableDirectory"/>.</param>
    /// <exception cref="SandboxException">An exe is missing.</exception>
    public static IReadOnlyList<FilterReport> Inspect(string? executableDirectory = null)
    {
        InstallLayout layout = new(executableDirectory);
        List<FilterReport> filters = [];
        foreach (string path in (ReadOnlySpan<string>)[layout.Vmm, layout.Device, layout.Jail])
        {
            filters.AddRange(Read(Path.GetFileName(path), WholeFile.Read(path, MaxExeBytes)));
        }

        filters.Sort(static (one, other) => string.CompareOrdinal(one.Name, other.Name));
        return filters;
    }

    private static List<FilterReport> Read(string executable, byte[] content)
    {
        List<FilterReport> filters = [];
        for (int at = content.AsSpan().IndexOf(Magic); at >= 0;)
        {
            int start = at + Magic.Length + 1;
            int nameBytes = content[start - 1];
            string name = Encoding.ASCII.GetString(content, start, nameBytes);
            int instructions = BinaryPrimitives.ReadUInt16LittleEndian(content.AsSpan(start + nameBytes));
            int program = start + nameBytes + sizeof(ushort);
            int bytes = instructions * FilterWalk.InstructionBytes;
            filters.Add(new FilterReport(executable, name, CallsOf(content.AsSpan(program, bytes))));
            int next = content.AsSpan(program + bytes).IndexOf(Magic);
            at = next < 0 ? -1 : program + bytes + next;
        }

        return filters;
    }

    private static List<FilteredCall> CallsOf(ReadOnlySpan<byte> program)
    {
        List<FilteredCall> calls = [];
        for (int number = 0; number <= HighestSyscall; number++)
        {
            HashSet<uint> answers = FilterWalk.AnswersTo(program, (uint)number);
            uint error = 0;
            foreach (uint answer in answers)
            {
                error = (answer & ActionMask) == Errno ? answer : error;
            }

            if (answers.Contains(Allow) || error != 0)
            {
                calls.Add(new FilteredCall(SyscallName.Of(number), answers.Count > 1, answers.Contains(Allow) ? 0 : (int)(error & ~ActionMask)));
            }
        }

        return calls;
    }
}
