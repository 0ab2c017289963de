using Sandbox.Cli.Text;

namespace Sandbox.Unit.Tests.Cli;

public sealed class TextTests
{
    [Theory]
    [InlineData("0", 0L)]
    [InlineData("4096", 4096L)]
    [InlineData("1K", 1024L)]
    [InlineData("512m", 512L << 20)]
    [InlineData("4G", 4L << 30)]
    [InlineData("1T", 1L << 40)]
    [InlineData("1P", 1L << 50)]
    [InlineData("8191P", 8191L << 50)]
    public void Size_WithItsUnit_IsRead(string text, long bytes)
    {
        Assert.True(SizeText.TryParse(text, out long read));
        Assert.Equal(bytes, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("K")]
    [InlineData("-1")]
    [InlineData("1.5G")]
    [InlineData("1KB")]
    [InlineData("8192P")] // 2^63
    [InlineData("99999999999999999999")]
    [InlineData("lots")]
    public void Size_OfAnotherForm_IsRefused(string text) => Assert.False(SizeText.TryParse(text, out _));

    [Theory]
    [InlineData("5", 5000)]
    [InlineData("500ms", 500)]
    [InlineData("30s", 30_000)]
    [InlineData("5m", 300_000)]
    [InlineData("1h", 3_600_000)]
    public void Duration_WithItsUnit_IsReadAndShown(string text, int milliseconds)
    {
        Assert.True(DurationText.TryParse(text, out TimeSpan duration));
        Assert.Equal(milliseconds, duration.TotalMilliseconds);
        Assert.Equal(text.TrimEnd('s', 'm', 'h'), DurationText.Show(duration).TrimEnd('s', 'm', 'h'));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("-1s")]
    [InlineData("1.5s")]
    [InlineData("1001h")]
    [InlineData("9223372036854775807h")]
    [InlineData("soon")]
    public void Duration_OfAnotherForm_IsRefused(string text) => Assert.False(DurationText.TryParse(text, out _));

    [Theory]
    [InlineData("/a/b", "/a/b", false, false)]
    [InlineData("/a/b:ro", "/a/b", true, false)]
    [InlineData("/a:ro/b", "/a:ro/b", false, false)]
    [InlineData("/a/b:direct", "/a/b", false, true)]
    [InlineData("/a/b:ro:direct", "/a/b", true, true)]
    [InlineData("/a/b:direct:ro", "/a/b", true, true)]
    [InlineData("/a/b:ro:ro", "/a/b:ro", true, false)]
    public void Disk_EndsWithItsMarks(string text, string path, bool readOnly, bool direct)
    {
        DiskOptions disk = DiskText.Parse(text);
        Assert.Equal((path, readOnly, direct), (disk.Path, disk.ReadOnly, disk.Direct));
    }
}
