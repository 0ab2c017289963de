using System.Globalization;

namespace Sandbox;

/// <summary>
/// Something about a sandbox failed. <see cref="Exception.Message"/> is one line for an operator: what failed, on what, and the
/// cure where one is known. It holds no untrusted control characters.
/// </summary>
public sealed class SandboxException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="kind">The sort of failure.</param>
    /// <param name="message">One line; other characters than printable ones are replaced.</param>
    /// <param name="inner">The operation that failed underneath, if any.</param>
    public SandboxException(SandboxErrorKind kind, string message, Exception? inner = null)
        : base(OneLine(message), inner) => Kind = kind;

    /// <summary>The sort of failure.</summary>
    public SandboxErrorKind Kind { get; }

    /// <summary>A guest may have written part of the text: nothing of it may steer a terminal, or turn a line around.</summary>
    private static string OneLine(string? message) => string.Create(message?.Length ?? 0, message, static (line, text) =>
    {
        for (int index = 0; index < line.Length; index++)
        {
            bool isPair = index + 1 < line.Length && char.IsSurrogatePair(text![index], text[index + 1]);
            bool isPrintable = IsPrintable(CharUnicodeInfo.GetUnicodeCategory(text!, index)); // of the pair, where there is one
            line[index] = isPrintable ? text![index] : ' ';
            if (isPair)
            {
                index++;
                line[index] = isPrintable ? text![index] : ' ';
            }
        }
    });

    private static bool IsPrintable(UnicodeCategory category) => category is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate);
}
