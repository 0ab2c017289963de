using System.Text.RegularExpressions;

namespace Sandbox.Architecture.Tests;

/// <summary>Danger shows in the file list: unsafe code only in three rooms, in files named for it, each block with its reason.</summary>
public sealed partial class UnsafeRoomTests
{
    private static readonly string[] UnsafeRooms = ["src/Sandbox.Memory/", "src/Sandbox.Kvm/", "src/Sandbox.Linux/"];

    /// <summary>The fuzzer's build of the first of them: a project without a file of its own.</summary>
    private const string WatchedRoom = "fuzz/Sandbox.Memory.Watched/";

    /// <summary>The jail's own sources above another raw system call.</summary>
    private const string TestJail = "tests/TestJail/";

    /// <summary>The jail's main runs before the runtime exists: raw system calls are all there is.</summary>
    private static readonly string[] UnsafeFolders = [.. UnsafeRooms, "src/Sandbox.Jail/", TestJail];

    [Fact]
    public void AllowUnsafeBlocks_OutsideTheUnsafeRooms_IsNotSet()
    {
        Repository.AssertNone(
            from project in Repository.Files
            where project.EndsWith(".csproj", StringComparison.Ordinal) && !IsUnder(project, [.. UnsafeFolders, WatchedRoom])
            where Repository.Read(project).Contains("AllowUnsafeBlocks", StringComparison.Ordinal)
            select project);
    }

    [Fact]
    public void WatchedRoom_OfTheFuzzer_HasNoCodeOfItsOwn()
    {
        Repository.AssertNone(Repository.Code.Where(file => file.StartsWith(WatchedRoom, StringComparison.Ordinal)));
    }

    /// <summary>What looks on at guest memory is compiled for the fuzzer only.</summary>
    [Fact]
    public void WatchedFolder_OfGuestMemory_IsNotInTheProduct()
    {
        Assert.Contains("<Compile Remove=\"Watched/**\" />", Repository.Read("src/Sandbox.Memory/Sandbox.Memory.csproj"), StringComparison.Ordinal);
        Repository.AssertNone(
            from file in Repository.ProductCode
            where !file.StartsWith("src/Sandbox.Memory/Watched/", StringComparison.Ordinal)
            where Repository.Read(file).Contains("GuestWatch", StringComparison.Ordinal)
            select $"{file}: the product knows the fuzzer's watcher");
    }

    [Fact]
    public void UnsafeKeyword_OutsideUnsafeFiles_DoesNotOccur()
    {
        Repository.AssertNone(
            from file in Repository.Code
            where !(IsUnder(file, UnsafeFolders) && file.EndsWith(".Unsafe.cs", StringComparison.Ordinal))
            from line in UncommentedLines(file)
            where UnsafeKeyword().IsMatch(line.Text)
            select $"{file}:{line.Number}: unsafe");
    }

    [Fact]
    public void UnsafeFiles_InTheProduct_SayWhyTheyAreSafe()
    {
        Repository.AssertNone(
            from file in Repository.ProductCode
            where file.EndsWith(".Unsafe.cs", StringComparison.Ordinal)
            where !file.Contains("/Abi/", StringComparison.Ordinal) // declarations only
            let text = Repository.Read(file)
            where UnsafeKeyword().IsMatch(text) && !text.Contains("// SAFETY:", StringComparison.Ordinal)
            select $"{file}: no SAFETY comment");
    }

    [Fact]
    public void UnsafeBlocks_InTheProduct_HaveAReasonBeforeThem()
    {
        Repository.AssertNone(
            from file in Repository.ProductCode
            let lines = Repository.ReadLines(file)
            from index in Enumerable.Range(0, lines.Length)
            where UnsafeBlock().IsMatch(lines[index])
            where !HasReason(lines, index)
            select $"{file}:{index + 1}: a block without a SAFETY comment above it");
    }

    private static bool IsUnder(string file, string[] folders) => folders.Any(folder => file.StartsWith(folder, StringComparison.Ordinal));

    private static IEnumerable<(int Number, string Text)> UncommentedLines(string file) =>
        Repository.ReadLines(file)
            .Select((text, index) => (index + 1, text))
            .Where(line => !line.text.TrimStart().StartsWith("//", StringComparison.Ordinal) && !line.text.Contains('"', StringComparison.Ordinal));

    /// <summary>The reason may stand above a stack of fixed statements, or above the statement whose block this is.</summary>
    private static bool HasReason(string[] lines, int index) =>
        Enumerable.Range(1, 8).Select(back => index - back).Where(at => at >= 0).Any(at => lines[at].Contains("SAFETY:", StringComparison.Ordinal))
        || lines[index].Contains("SAFETY:", StringComparison.Ordinal);

    [GeneratedRegex(@"\bunsafe\b")]
    private static partial Regex UnsafeKeyword();

    [GeneratedRegex(@"^\s*(unsafe\s*$|unsafe\s*\{|fixed\s*\()")]
    private static partial Regex UnsafeBlock();
}
