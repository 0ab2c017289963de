using System.Globalization;

namespace Sandbox.Labels;

/// <summary>Two different categories, the lower first: what separates a sandbox from every other one at the same types.</summary>
internal readonly struct CategoryPair(int low, int high)
{
    public int Low { get; } = low;

    public int High { get; } = high;

    /// <summary>As every policy for Linux distributions has them: c0 to c1023.</summary>
    public const int Categories = 1024;

    /// <summary>How many pairs there are of so many categories.</summary>
    public static int CountOf(int categories) => categories * (categories - 1) / 2;

    /// <summary>The pairs in one order: (0,1), (0,2), (1,2), (0,3), ...</summary>
    /// <param name="index">0 to <see cref="CountOf"/> - 1.</param>
    public static CategoryPair At(int index)
    {
        int high = (int)((1 + Math.Sqrt(1 + (8.0 * index))) / 2);
        // The root is exact far beyond these numbers; this holds should it ever be a hair off.
        while (CountOf(high) > index)
        {
            high--;
        }

        while (CountOf(high + 1) <= index)
        {
            high++;
        }

        return new CategoryPair(index - CountOf(high), high);
    }

    /// <summary>Its place in the order of <see cref="At"/>.</summary>
    public int Index => CountOf(High) + Low;

    /// <summary>"c12,c800" and nothing else.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out CategoryPair pair)
    {
        pair = default;
        int comma = text.IndexOf(',');
        if (comma < 0 || !TryParseOne(text[..comma], out int first) || !TryParseOne(text[(comma + 1)..], out int second) || first >= second)
        {
            return false;
        }

        pair = new CategoryPair(first, second);
        return true;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"c{Low},c{High}");

    private static bool TryParseOne(ReadOnlySpan<char> text, out int category)
    {
        category = 0;
        return text.Length is >= 2 and <= 5 && text[0] == 'c' && int.TryParse(text[1..], NumberStyles.None, CultureInfo.InvariantCulture, out category) && category < Categories;
    }
}
