namespace Sandbox.Eager;

/// <summary>
/// The few sequence operators that this library uses, each done at once. System.Linq is not imported here: its iterators have generic virtual methods, for
/// which the exe would carry the runtime's whole type loader (a tenth of its size).
/// </summary>
internal static class Sequences
{
    public static List<TResult> Select<T, TResult>(this IEnumerable<T> source, Func<T, TResult> result)
    {
        List<TResult> results = [];
        foreach (T item in source)
        {
            results.Add(result(item));
        }

        return results;
    }

    /// <summary>The same, for a result that depends on the place too.</summary>
    public static List<TResult> Select<T, TResult>(this IEnumerable<T> source, Func<T, int, TResult> result)
    {
        List<TResult> results = [];
        foreach (T item in source)
        {
            results.Add(result(item, results.Count));
        }

        return results;
    }

    public static List<T> Where<T>(this IEnumerable<T> source, Predicate<T> condition)
    {
        List<T> found = [];
        foreach (T item in source)
        {
            if (condition(item))
            {
                found.Add(item);
            }
        }

        return found;
    }

    public static bool All<T>(this IEnumerable<T> source, Predicate<T> condition)
    {
        foreach (T item in source)
        {
            if (!condition(item))
            {
                return false;
            }
        }

        return true;
    }
}
