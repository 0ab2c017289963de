using System.Text;

namespace Sandbox;

/// <summary>A small text file of this host, whole. Not by <see cref="File.ReadAllText(string)"/>: its readers, buffers and encodings are a large part of a small exe.</summary>
internal static class TextFile
{
    /// <exception cref="IOException">It could not be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static string Read(string path) => Encoding.UTF8.GetString(File.ReadAllBytes(path));

    /// <summary>Its lines, without their ends; text after the last end is a line too.</summary>
    /// <exception cref="IOException">It could not be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static string[] ReadLines(string path)
    {
        string text = Read(path);
        return text.Length == 0 ? [] : (text[^1] == '\n' ? text[..^1] : text).Split('\n');
    }
}
