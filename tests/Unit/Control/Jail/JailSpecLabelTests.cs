using System.Buffers.Binary;
using System.Text;
using Sandbox.Control.Jail;

namespace Sandbox.Unit.Tests.Control.Jail;

public sealed class JailSpecLabelTests
{
    private const int LabelLengthOffset = 20;
    private const string Label = "system_u:system_r:sbx_vmm_t:s0:c1,c2";

    [Theory]
    [InlineData(null)]
    [InlineData(Label)]
    public void Label_Encoded_ComesBackAsACString(string? label)
    {
        byte[] bytes = Spec(label).Encode();
        Assert.True(JailSpecView.TryDecode(bytes, out JailSpecView view));
        Assert.Equal(label is null ? "" : label + '\0', Encoding.UTF8.GetString(view.Label));
        Assert.Equal("sandbox-vmm\0second\0", Encoding.UTF8.GetString(view.Arguments));
    }

    [Theory]
    [InlineData("with\0nul")]
    [InlineData("\0")]
    public void Label_WithANul_IsNotEncoded(string label) => Assert.Throws<ArgumentException>(() => Spec(label).Encode());

    [Fact]
    public void Label_TooLong_IsNotEncoded() => Assert.Throws<ArgumentException>(() => Spec(new string('a', 256)).Encode());

    [Theory]
    [InlineData(1u)]
    [InlineData(36u)]
    [InlineData(38u)]
    [InlineData(56u)] // all that is left: no argument
    [InlineData(57u)]
    [InlineData(257u)]
    [InlineData(0x8000_0000u)]
    [InlineData(uint.MaxValue)]
    public void Decode_WithAWrongLabelLength_IsRefused(uint length)
    {
        byte[] bytes = Spec(Label).Encode();
        Assert.Equal((uint)Label.Length + 1, BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(LabelLengthOffset)));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(LabelLengthOffset), length);
        Assert.False(JailSpecView.TryDecode(bytes, out _));
    }

    private static JailSpec Spec(string? label) => new() { Label = label, Fds = [], Arguments = ["sandbox-vmm", "second"] };
}
