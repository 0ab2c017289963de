namespace Sandbox.Groups;

/// <summary>Small text files of the kernel that may not be there.</summary>
internal static class KernelText
{
    /// <summary>Its lines; none when it cannot be read.</summary>
    public static string[] Lines(string path) => TextFile.TryRead(path)?.Split('\n', StringSplitOptions.RemoveEmptyEntries) ?? [];
}
