using System.Globalization;

namespace Sandbox.Seccomp;

/// <summary>Names of syscalls or constants with their values, read from a text of <c>NAME VALUE</c> lines. The tests hold the tables against the system headers.</summary>
public sealed class NameTable
{
    private readonly Dictionary<string, ulong> _values = new(StringComparer.Ordinal);

    /// <exception cref="PolicyException">A line is not NAME VALUE, or a name stands twice.</exception>
    public NameTable(string source, string text)
    {
        int lineNumber = 0;
        foreach (string raw in text.Split('\n'))
        {
            lineNumber++;
            string line = raw.Split('#')[0].Trim();
            if (line.Length == 0)
            {
                continue;
            }

            string[] parts = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (parts.Length != 2 || !TryNumber(parts[1], out ulong value) || !_values.TryAdd(parts[0], value))
            {
                throw new PolicyException(source, lineNumber, $"expected a new NAME and its VALUE, found '{line}'");
            }
        }
    }

    public IReadOnlyDictionary<string, ulong> Values => _values;

    public bool TryGet(string name, out ulong value) => _values.TryGetValue(name, out value);

    /// <summary>Decimal or 0x hexadecimal, unsigned 64 bits.</summary>
    public static bool TryNumber(string text, out ulong value) => text.StartsWith("0x", StringComparison.Ordinal)
        ? ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value)
        : ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
}
