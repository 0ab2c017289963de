namespace Sandbox.Lab.Tests;

/// <summary>The kernels that every guest test is for, by the name the test shows.</summary>
internal static class Kernels
{
    public const string DebianElf = "debian";
    public const string DebianBzImage = "debian bzImage";
    public const string TunedElf = "tuned";
    public const string TunedBzImage = "tuned bzImage";

    public static string PathOf(string name) => Product.Share(name switch
    {
        DebianElf => "kernels/debian/vmlinux",
        DebianBzImage => "kernels/debian/vmlinuz",
        TunedElf => "kernels/tuned/vmlinux",
        TunedBzImage => "kernels/tuned/bzImage",
        _ => throw new ArgumentException(name),
    });
}
