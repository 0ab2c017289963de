using System.Globalization;
using System.Text;

namespace Sandbox.Runtime;

/// <summary>Names of the system calls of x86-64, from the table that the filters are compiled with (seccomp/syscalls.txt).</summary>
internal static class SyscallName
{
    /// <summary>The name, or the number in words.</summary>
    public static string Of(int number)
    {
        string wanted = number.ToString(CultureInfo.InvariantCulture);
        foreach (string line in Encoding.ASCII.GetString(SyscallNames.Table).Split('\n'))
        {
            int space = line.IndexOf(' ', StringComparison.Ordinal);
            if (space > 0 && line.AsSpan(space + 1).SequenceEqual(wanted))
            {
                return line[..space];
            }
        }

        return $"number {wanted}";
    }
}
