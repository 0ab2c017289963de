using System.Runtime.InteropServices;

namespace Sandbox.Abi.Tests;

/// <summary>The judge itself: a wrong claim is caught, and named.</summary>
public sealed class JudgeTests
{
    [StructLayout(LayoutKind.Sequential)]
    private struct open_how
    {
        public ulong mode;
        public ulong flags;
        public ulong resolve;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct f_owner_ex
    {
        public int type;
        public short pid;
    }

    [Fact]
    public void Judge_TrueClaim_SaysNothing() => Assert.Equal("", CCompiler.Judge([new("sizeof(int) == 4", "int")]));

    [Fact]
    public void Judge_SwappedFields_NamesBoth()
    {
        string verdict = CCompiler.Judge(StructClaims.Of([typeof(open_how)]));
        Assert.Contains("offset of Sandbox.Abi.Tests.JudgeTests+open_how.mode", verdict, StringComparison.Ordinal);
        Assert.Contains("offset of Sandbox.Abi.Tests.JudgeTests+open_how.flags", verdict, StringComparison.Ordinal);
        Assert.DoesNotContain("open_how.resolve", verdict, StringComparison.Ordinal);
    }

    [Fact]
    public void Judge_NarrowField_NamesItsSize() =>
        Assert.Contains("size of Sandbox.Abi.Tests.JudgeTests+f_owner_ex.pid", CCompiler.Judge(StructClaims.Of([typeof(f_owner_ex)])), StringComparison.Ordinal);

    [Fact]
    public void Judge_UnknownName_Fails() => Assert.NotEqual("", CCompiler.Judge([new("NO_SUCH_NUMBER == 1", "number")]));

    [Fact]
    public void Judge_WrongNumberInComment_IsNamed()
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "Thing.cs"), "private const int Right = 2; // MNT_DETACH\nprivate const int Wrong = 3; // MNT_DETACH, not\n");
            string verdict = CCompiler.Judge(ConstantClaims.ByComment(folder));
            Assert.Contains("Thing.cs: Wrong", verdict, StringComparison.Ordinal);
            Assert.DoesNotContain("Thing.cs: Right", verdict, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
