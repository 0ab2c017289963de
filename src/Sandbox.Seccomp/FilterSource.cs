using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Sandbox.Seccomp;

/// <summary>
/// Writes compiled filters as a C# file: data in the read-only segment of the exe they belong to. Each begins with a header by which
/// it is found in the finished file: that is how `sandbox doctor --filters` shows, and the tests change, what an exe will really install.
/// </summary>
public static class FilterSource
{
    /// <summary>First bytes of the header; then a byte that counts those of the policy's name, the name, and the number of instructions (16 bits).</summary>
    public const string Magic = "sandbox-filter/1";

    /// <summary>A compiled policy.</summary>
    /// <param name="Name">Of the property.</param>
    /// <param name="Policy">File name of the policy.</param>
    /// <param name="Program">The filter.</param>
    /// <param name="SyscallCount">How many syscalls have a rule.</param>
    public sealed record Filter(string Name, string Policy, IReadOnlyList<BpfInstruction> Program, int SyscallCount);

    public static string Write(string namespaceName, string className, IEnumerable<Filter> filters)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"// Compiled from seccomp/*.policy by Sandbox.Seccomp. Do not edit.\nnamespace {namespaceName};\n\ninternal static class {className}\n{{\n");
        foreach (Filter filter in filters)
        {
            byte[] header = Header(filter);
            text.Append(CultureInfo.InvariantCulture, $"    /// <summary>{filter.Policy}: {filter.SyscallCount} syscalls, {filter.Program.Count} instructions.</summary>\n");
            text.Append(CultureInfo.InvariantCulture, $"    public static ReadOnlySpan<byte> {filter.Name} => {filter.Name}Entry[{header.Length}..];\n\n");
            text.Append(CultureInfo.InvariantCulture, $"    private static ReadOnlySpan<byte> {filter.Name}Entry =>\n    [");
            byte[] bytes = [.. header, .. FilterCompiler.ToBytes(filter.Program)];
            for (int index = 0; index < bytes.Length; index++)
            {
                text.Append(index % 32 == 0 ? "\n        " : " ").Append(CultureInfo.InvariantCulture, $"{bytes[index]},");
            }

            text.Append("\n    ];\n\n");
        }

        return text.Append("}\n").ToString();
    }

    /// <summary>The names of the system calls as lines of NAME NUMBER, for whoever has to show one.</summary>
    public static string WriteNames(string namespaceName, string className, NameTable syscalls)
    {
        ArgumentNullException.ThrowIfNull(syscalls);
        string lines = string.Join("\\n", syscalls.Values.Select(entry => string.Create(CultureInfo.InvariantCulture, $"{entry.Key} {entry.Value}")));
        return $"// Written from seccomp/syscalls.txt by Sandbox.Seccomp. Do not edit.\nnamespace {namespaceName};\n\ninternal static class {className}\n{{\n    public static System.ReadOnlySpan<byte> Table => \"{lines}\"u8;\n}}\n";
    }

    private static byte[] Header(Filter filter)
    {
        byte[] name = Encoding.ASCII.GetBytes(Path.GetFileNameWithoutExtension(filter.Policy));
        byte[] count = new byte[sizeof(ushort)];
        BinaryPrimitives.WriteUInt16LittleEndian(count, (ushort)filter.Program.Count);
        return [.. Encoding.ASCII.GetBytes(Magic), (byte)name.Length, .. name, .. count];
    }
}
