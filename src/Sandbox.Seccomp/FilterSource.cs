using System.Globalization;
using System.Text;

namespace Sandbox.Seccomp;

/// <summary>Writes compiled filters as a C# file: data in the read-only segment of the exe they belong to.</summary>
public static class FilterSource
{
    public static string Write(string namespaceName, string className, IEnumerable<(string Name, string Policy, IReadOnlyList<BpfInstruction> Program, int SyscallCount)> filters)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"// Compiled from seccomp/*.policy by Sandbox.Seccomp. Do not edit.\nnamespace {namespaceName};\n\ninternal static class {className}\n{{\n");
        foreach ((string name, string policy, IReadOnlyList<BpfInstruction> program, int count) in filters)
        {
            text.Append(CultureInfo.InvariantCulture, $"    /// <summary>{policy}: {count} syscalls, {program.Count} instructions.</summary>\n    public static ReadOnlySpan<byte> {name} =>\n    [");
            byte[] bytes = FilterCompiler.ToBytes(program);
            for (int index = 0; index < bytes.Length; index++)
            {
                text.Append(index % 32 == 0 ? "\n        " : " ").Append(CultureInfo.InvariantCulture, $"{bytes[index]},");
            }

            text.Append("\n    ];\n\n");
        }

        return text.Append("}\n").ToString();
    }
}
