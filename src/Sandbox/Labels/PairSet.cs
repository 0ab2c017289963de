namespace Sandbox.Labels;

/// <summary>Some of all pairs: a bit for each.</summary>
internal sealed class PairSet
{
    private const int BitsInWord = 64;

    private readonly ulong[] _bits = new ulong[(CategoryPair.CountOf(CategoryPair.Categories) + BitsInWord - 1) / BitsInWord];

    public void Add(CategoryPair pair) => _bits[pair.Index / BitsInWord] |= 1UL << (pair.Index % BitsInWord);

    public bool Contains(CategoryPair pair) => (_bits[pair.Index / BitsInWord] & (1UL << (pair.Index % BitsInWord))) != 0;

    /// <summary>The first pair at this index or behind it; false when there is none.</summary>
    public bool TryNext(int index, out CategoryPair pair)
    {
        for (; index < CategoryPair.CountOf(CategoryPair.Categories); index++)
        {
            if ((_bits[index / BitsInWord] & (1UL << (index % BitsInWord))) != 0)
            {
                pair = CategoryPair.At(index);
                return true;
            }
        }

        pair = default;
        return false;
    }

    /// <summary>In the order of <see cref="CategoryPair.At"/>, as text.</summary>
    public List<string> ToTexts()
    {
        List<string> texts = [];
        for (int index = 0; TryNext(index, out CategoryPair pair); index = pair.Index + 1)
        {
            texts.Add(pair.ToString());
        }

        return texts;
    }
}
