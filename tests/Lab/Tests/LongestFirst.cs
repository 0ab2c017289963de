using Xunit.Abstractions;

[assembly: TestCollectionOrderer("Sandbox.Lab.Tests.LongestFirst", "Sandbox.Lab.Tests")]

namespace Sandbox.Lab.Tests;

/// <summary>
/// The order in which groups begin: on two processors the longest beside all others together. Left to chance, the longest may begin last, and a
/// processor rests.
/// </summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Order = [LabGroup.Name, SeLinux.EnforcingGroup.Name, DeviceGroup.Name];

    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) => testCollections.OrderBy(static collection =>
        Array.IndexOf(Order, collection.DisplayName) is >= 0 and int place ? place : Order.Length);
}
