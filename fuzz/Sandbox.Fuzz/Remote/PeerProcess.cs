using System.Globalization;

namespace Sandbox.Fuzz.Remote;

/// <summary>The back end's process, looked at from outside (/proc).</summary>
internal sealed class PeerProcess(int pid)
{
    /// <summary>Whether there is such a process, and it is no zombie.</summary>
    public bool IsAlive
    {
        get
        {
            try
            {
                string text = File.ReadAllText($"/proc/{pid}/stat");
                return text[(text.LastIndexOf(')') + 2)..][0] is not ('Z' or 'X');
            }
            catch (IOException)
            {
                return false;
            }
        }
    }

    /// <summary>Memory of its own in KiB: what grows when it leaks. Guest memory is shared and does not count.</summary>
    public long PrivateKiB => Sum("Private_Dirty:", $"/proc/{pid}/smaps_rollup");

    /// <summary>Open fds.</summary>
    public int FdCount
    {
        get
        {
            try
            {
                return Directory.GetFiles($"/proc/{pid}/fd").Length;
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                return 0;
            }
        }
    }

    private static long Sum(string label, string path)
    {
        try
        {
            return File.ReadLines(path)
                .Where(line => line.StartsWith(label, StringComparison.Ordinal))
                .Sum(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
