using System.Globalization;
using System.Text;

namespace Sandbox.Unit.Tests.Library;

/// <summary>The one wall between a stranger's words and an operator's terminal.</summary>
public sealed class SandboxExceptionTests
{
    [Theory]
    [InlineData(0x00)]
    [InlineData(0x0A)] // a second line
    [InlineData(0x1B)]
    [InlineData(0x7F)]
    [InlineData(0x9B)] // begins a terminal's command in one character
    [InlineData(0xAD)]
    [InlineData(0x200E)]
    [InlineData(0x2028)]
    [InlineData(0x2029)]
    [InlineData(0x202E)] // turns the rest of the line around
    [InlineData(0x2066)]
    [InlineData(0xFEFF)]
    [InlineData(0xE0041)] // two chars, and not to be seen
    public void Message_WithACharacterThatIsNotPrintable_HasSpacesInItsPlace(int character)
    {
        string text = char.ConvertFromUtf32(character);

        Assert.Equal($"a{new string(' ', text.Length)}b", Message($"a{text}b"));
    }

    [Theory]
    [InlineData(0xD800, 'x')]
    [InlineData(0xDC00, 'x')]
    [InlineData(0xDC00, 0xD800)] // the wrong way round
    [InlineData(0xD800, 0xD83D)]
    public void Message_WithHalfAPair_HasASpaceInItsPlace(int first, int second)
    {
        Assert.Equal($"a {(second == 'x' ? 'x' : ' ')}b", Message($"a{(char)first}{(char)second}b"));
    }

    [Fact]
    public void Message_OfPrintableCharacters_StaysAsItIs()
    {
        const string text = "caf\u00E9 \u4E2D\u6587 \u05D0 \U0001F600 ~";

        Assert.Equal(text, Message(text));
    }

    [Fact]
    public void Message_OfEveryCharacter_HasNoneThatIsNotPrintable()
    {
        StringBuilder all = new();
        for (int character = 0; character <= 0x10FFFF; character++)
        {
            _ = Rune.IsValid(character) ? all.Append(new Rune(character)) : all;
        }

        Assert.DoesNotContain(Message(all.ToString()).EnumerateRunes(), static rune =>
            Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
    }

    [Fact]
    public void Message_OfNothing_IsEmpty() => Assert.Equal("", Message(null!));

    private static string Message(string text) => new SandboxException(SandboxErrorKind.GuestFailed, text).Message;
}
