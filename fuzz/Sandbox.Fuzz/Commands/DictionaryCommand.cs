using System.Text;
using Sandbox.Fuzz.Targets;

namespace Sandbox.Fuzz.Commands;

/// <summary>The byte strings that mean something to a target, a line each, for other engines.</summary>
internal static class DictionaryCommand
{
    /// <summary>libFuzzer takes no longer word.</summary>
    private const int MaxWordBytes = 64;

    public static int Print(string target)
    {
        using TargetLease lease = TargetList.Open(target);
        StringBuilder text = new();
        foreach (byte[] word in lease.Target.Dictionary)
        {
            text.Append('"');
            foreach (byte value in word.AsSpan(0, Math.Min(word.Length, MaxWordBytes)))
            {
                text.Append("\\x").Append(value.ToString("x2", null));
            }

            text.Append("\"\n");
        }

        Console.Out.Write(text);
        return 0;
    }
}
