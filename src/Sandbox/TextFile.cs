using System.Text;
using Sandbox.Linux;

namespace Sandbox;

/// <summary>A small text file of this host or its kernel, whole.</summary>
internal static class TextFile
{
    private const int MaxBytes = 16 << 20;

    /// <exception cref="LinuxException">It could not be read, or is longer than 16 MiB.</exception>
    public static string Read(string path) => Encoding.UTF8.GetString(WholeFile.Read(path, MaxBytes));

    /// <summary>Null when it could not be read: missing, not permitted, or longer.</summary>
    public static string? TryRead(string path)
    {
        try
        {
            return Read(path);
        }
        catch (LinuxException)
        {
            return null;
        }
    }

    /// <summary>Its lines, without their ends; text after the last end is a line too.</summary>
    /// <exception cref="LinuxException">It could not be read, or is longer than 16 MiB.</exception>
    public static string[] ReadLines(string path)
    {
        string text = Read(path);
        return text.Length == 0 ? [] : (text[^1] == '\n' ? text[..^1] : text).Split('\n');
    }
}
