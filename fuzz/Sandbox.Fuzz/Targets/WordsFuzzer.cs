using System.Globalization;
using System.Text;
using Sandbox.Agent;
using Sandbox.Control.Agent;
using Sandbox.Fuzz.Engine;
using Sandbox.Runtime;

namespace Sandbox.Fuzz.Targets;

/// <summary>A stranger's words on their way to an operator's terminal: what the guest says of its failed boot, and the last of what a process or a console wrote.</summary>
internal sealed class WordsFuzzer : IFuzzer
{
    private const int MostReasonLength = 200;

    // Where code goes wrong: the ends of the control characters, what turns a line around or breaks it, and what needs two chars.
    private static readonly int[] Edges =
    [
        0x1, 0x7, 0x8, 0x9, 0xA, 0xD, 0x1B, 0x1F, 0x20, 0x7E, 0x7F, 0x80, 0x84, 0x85, 0x9B, 0x9F, 0xA0, 0xAD, 0x61C, 0x200B, 0x200E, 0x200F, 0x2028, 0x2029,
        0x202A, 0x202E, 0x2060, 0x2066, 0x2069, 0xD7FF, 0xE000, 0xFEFF, 0xFFF9, 0xFFFB, 0xFFFD, 0xFFFF, 0x10000, 0x110BD, 0x1D173, 0x1F600, 0xE0001, 0xE0041, 0x10FFFF,
    ];

    private static readonly string[] Marks = ["Kernel panic - not syncing: ", "---[ end Kernel panic", "\n", "type=1326 ", " pid=7 ", " syscall=", ",", "59"];

    private readonly StringBuilder _text = new();
    private readonly List<byte> _written = [];

    public string Name => "words";

    public string Subject => "a stranger's words for an operator: one line of a guest, tails of streams, panics";

    public int MaxInputBytes => 512;

    public void Run(ReadOnlySpan<byte> bytes)
    {
        InputReader input = new(bytes);
        switch (input.Below(3))
        {
            case 0:
                Tail(ref input);
                break;
            case 1:
                Look(ref input);
                break;
            default:
                Line(ref input);
                break;
        }
    }

    private void Line(ref InputReader input)
    {
        _ = _text.Clear();
        BootStage stage = (BootStage)(1 + input.Below(10));
        int errno = input.OneIn(2) ? 0 : input.U16() % 140;
        while (!input.IsEmpty && _text.Length < AgentLimits.MaxTextBytes)
        {
            switch (input.Below(8))
            {
                case 0 or 1 or 2:
                    _ = _text.Append(new Rune(input.Pick<int>(Edges)));
                    break;
                case 3:
                    _ = _text.Append((char)input.U16()); // half a pair too: no guest's text has one, but the wall is for all
                    break;
                case 4:
                    int point = (int)(input.U32() % 0x110000);
                    _ = _text.Append(Rune.IsValid(point) ? new Rune(point) : Rune.ReplacementChar);
                    break;
                default:
                    _ = _text.Append((char)(' ' + input.Below(95)));
                    break;
            }
        }

        string text = _text.ToString();
        string message = GuestFailure.Describe(new FailedMessage(stage, errno, text)).Message;
        string expected = Printable(text);
        Require(message.Contains(expected, StringComparison.Ordinal), "the guest's text is not there as it is to be shown");
        Require(Printable(message) == message, "what is no printable character reaches a terminal");
    }

    // The wall once more, one code point after the other.
    private static string Printable(string text)
    {
        StringBuilder printable = new(text.Length);
        for (int at = 0; at < text.Length;)
        {
            bool whole = Rune.TryGetRuneAt(text, at, out Rune rune);
            int length = whole ? rune.Utf16SequenceLength : 1;
            UnicodeCategory category = whole ? Rune.GetUnicodeCategory(rune) : UnicodeCategory.Surrogate;
            Reached.Note(1, (int)category | (length << 8));
            bool shown = (int)category is not ((>= 12 and <= 16) or < 0); // Zl, Zp, Cc, Cf, Cs
            _ = shown ? printable.Append(text, at, length) : printable.Append(' ', length);
            at += length;
        }

        return printable.ToString();
    }

    private void Tail(ref InputReader input)
    {
        int capacity = 1 + input.Below(64);
        TailBuffer tail = new(capacity);
        _written.Clear();
        Span<byte> piece = stackalloc byte[256];
        while (!input.IsEmpty)
        {
            int count = input.OneIn(4) ? input.Byte() : input.Below(12);
            byte first = input.Byte();
            for (int at = 0; at < count; at++)
            {
                piece[at] = unchecked((byte)(first + (at * 7)));
            }

            tail.Append(piece[..count]);
            _written.AddRange(piece[..count]);
            Reached.Note(2, Math.Min(_written.Count / capacity, 3));
            string expected = string.Concat(_written.Skip(_written.Count - capacity).Select(Shown));
            Require(tail.Text() == expected, "the tail is not the last that was written");
        }

        string line = tail.LastLines(2);
        Require(!line.Contains('\n', StringComparison.Ordinal), "the last line is more than one");
    }

    private static char Shown(byte value) => value is 9 or 10 ? (char)value : value == 13 ? ' ' : value is < 32 or > 126 ? '?' : (char)value;

    private void Look(ref InputReader input)
    {
        _ = _text.Clear();
        while (!input.IsEmpty)
        {
            _ = input.OneIn(3) ? _text.Append((char)input.Byte()) : _text.Append(Marks[input.Byte() % Marks.Length]);
        }

        string text = _text.ToString();
        string? reason = ConsoleText.PanicReason(text);
        Reached.Note(3, reason is null ? 0 : reason.Length == 0 ? 1 : 2);
        Require(reason is null || (reason.Length <= MostReasonLength && !reason.Contains('\n', StringComparison.Ordinal)), "the reason of a panic is no short line");
        int? call = KilledCall.Parse(text, 7, 0);
        Reached.Note(4, call is null ? 0 : 1);
        Require(call is null or >= 0, "a system call of a negative number");
    }

    private static void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new FindingException($"words: {what}");
        }
    }
}
