package dev.doorbell.bus;

/// What an IOMMU answers to a {@link TranslationRequest}.
///
/// **Source**: PCI Express Base 6.0, 10.2.3.
public sealed interface TranslationCompletion {
  /// A completion without a translation.
  enum Refused implements TranslationCompletion {
    /// UR: the device may not ask, and is to stop asking.
    UNSUPPORTED_REQUEST,
    /// CA: something is wrong with this request alone.
    COMPLETER_ABORT
  }

  /// A successful completion.
  ///
  /// @param address translated; nothing where no access is granted or only untranslated ones are
  /// @param bytes size of the range that is translated alike, a power of two
  /// @param rights of {@link Translator#READ}, {@link Translator#WRITE} and {@link #EXECUTE}
  /// @param untranslatedOnly U: the device keeps no address, and sends its accesses untranslated
  /// @param global whether the translation is every process's
  record Success(long address, long bytes, int rights, boolean untranslatedOnly, boolean global)
      implements TranslationCompletion {}

  /// Besides {@link Translator#READ} and {@link Translator#WRITE}: reads for execution.
  int EXECUTE = 4;
}
