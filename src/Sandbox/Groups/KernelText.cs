using System.Text;
using Sandbox.Linux;

namespace Sandbox.Groups;

/// <summary>Small text files of the kernel that may not be there.</summary>
internal static class KernelText
{
    /// <summary>Its lines; none when it cannot be read.</summary>
    public static string[] Lines(string path) => TextFile.TryRead(path)?.Split('\n', StringSplitOptions.RemoveEmptyEntries) ?? [];

    /// <summary>Writes a value in one piece: null, or why it could not be written.</summary>
    public static string? TryWrite(string path, string value)
    {
        try
        {
            using FdHandle file = FileOpen.Write(path);
            _ = LinuxException.Check(FdIo.WriteAll(file.Number, Encoding.ASCII.GetBytes(value)), "write \"" + value + "\" to " + path);
            return null;
        }
        catch (LinuxException failure)
        {
            return failure.Message;
        }
    }
}
