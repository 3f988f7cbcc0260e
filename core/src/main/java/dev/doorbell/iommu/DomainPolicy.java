package dev.doorbell.iommu;

/// Whose a domain is, and what its owner may do.
///
/// @param owner who maps
/// @param unsafeInterrupts whether groups may be attached whose MSIs are not isolated, and doorbells mapped whose page
///     reaches beyond their frame
public record DomainPolicy(Owner owner, boolean unsafeInterrupts) {
  /// A user without trust.
  public static final DomainPolicy USER = new DomainPolicy(Owner.USER, false);

  /// A user who is trusted not to forge vectors.
  public static final DomainPolicy TRUSTED_USER = new DomainPolicy(Owner.USER, true);

  /// The host's own drivers.
  public static final DomainPolicy HOST = new DomainPolicy(Owner.HOST, true);

  /// Who maps.
  public enum Owner {
    /// The host: regions of both direct kinds are identity-mapped.
    HOST,
    /// A guest or a user-space driver: direct regions are identity-mapped, relaxable ones given up.
    USER
  }

  /// {@return whether the domain must identity-map a region}
  boolean identityMaps(ReservedRegion.Kind kind) {
    return switch (kind) {
      case DIRECT -> true;
      case DIRECT_RELAXABLE -> owner == Owner.HOST;
      case RESERVED, MSI, SW_MSI -> false;
    };
  }

  /// {@return whether a region's IOVAs are lost to mappings; a software window counts only where it is registered}
  boolean excludes(ReservedRegion.Kind kind) {
    return switch (kind) {
      case DIRECT, RESERVED, MSI -> true;
      case DIRECT_RELAXABLE -> owner == Owner.HOST;
      case SW_MSI -> false;
    };
  }
}
