/// What tests share: seeded cases, golden files, captured machines, outside tools and second-source tables.
@NullMarked
package dev.doorbell.testkit;

import org.jspecify.annotations.NullMarked;
