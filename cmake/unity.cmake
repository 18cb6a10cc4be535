# Files of a room are compiled together: headers and templates are read once for all of them, which is most of what a
# build costs. `./dev check` compiles each alone, and so sees whether it includes what it uses.
option(NSR_UNITY "compile the files of a room together" OFF)
if(NSR_UNITY)
    add_compile_options(-Wno-subobject-linkage)  # it takes a file that is included for a header
endif()

# They name something of their own as another file of their room does (tests/layering/check_unity.py finds such names), or
# bring in a name that means something else there.
set(NSR_ALONE
    core/conntrack/trackers/tcp.cpp
    core/conntrack/trackers/tcp_table.cpp
    core/helpers/protocols/irc.cpp
    core/helpers/sip/text.cpp
    core/nat/icmp_inner.cpp
    core/nat/mappings.cpp
    core/nat/nat.cpp
    core/nat/translate.cpp
    core/packet/ipv4_options.cpp
    core/packet/ipv6_options.cpp
    core/packet/vnet_header.cpp
    core/procfs/nat_mappings.cpp
    core/procfs/nf_conntrack_expect.cpp
    core/routing/route_table.cpp
    core/rules/language/restore_command.cpp
    core/rules/matches/headers/ipcomp.cpp
    core/rules/matches/headers/ipv6_options.cpp
    core/rules/matches/headers/mh.cpp
    core/rules/matches/headers/rt.cpp
    core/rules/matches/headers/sctp.cpp
    core/rules/matches/headers/srh.cpp
    core/rules/matches/memory/rate.cpp
    core/rules/matches/memory/rateest.cpp
    core/rules/matches/policy.cpp
    core/rules/matches/rpfilter.cpp
    core/rules/matches/single_valued.cpp
    core/rules/targets/hmark.cpp
    core/rules/targets/log_ipv6.cpp
    core/rules/targets/npt.cpp
    netlink/route.cpp
    netlink/rule.cpp
    router/capture/pcapng_writer.cpp
    router/capture/rotating_files.cpp
    router/changes/reload.cpp
    router/commands/conntrack_load.cpp
    router/commands/dmesg.cpp
    router/commands/explain.cpp
    router/commands/import_host.cpp
    router/commands/ip.cpp
    router/commands/ipset.cpp
    router/commands/iptables.cpp
    router/commands/nfct.cpp
    router/commands/replay.cpp
    router/commands/run.cpp
    router/commands/top.cpp
    router/control/packet_ring.cpp
    router/control/status.cpp
    router/http/request.cpp
    router/http/session.cpp
    router/http/sse.cpp
    router/import/routes.cpp
    router/import/rules.cpp
    router/observe/why.cpp
    router/tools/conntrack/make.cpp
    router/tools/conntrack/plain.cpp
    router/tools/conntrack/protocol_options.cpp
    router/tools/conntrack/top.cpp
    router/tools/conntrack/tuple_args.cpp
    router/tools/ip/listing.cpp
    router/tools/ip/route_listing.cpp
    router/tools/ip/route_words.cpp
    router/tools/ip/rule_command.cpp
    router/tools/ip/rule_words.cpp
    router/topology/link_changes.cpp
    router/topology/namespaces.cpp
    router/topology/plan.cpp
    router/topology/preflight.cpp
    router/topology/run_files.cpp
    router/topology/setup.cpp
    router/topology/undo.cpp
    tests/iptables/sequences_test.cpp
    tests/scenario/helpers_ftp_test.cpp
    tests/scenario/helpers_sip_test.cpp
    tests/scenario/interfaces_test.cpp
    tests/scenario/links_test.cpp
    tests/scenario/nat_masquerade_test.cpp
    tests/scenario/nat_requirements_test.cpp
    tests/scenario/nat_uplinks_test.cpp
    tests/scenario/offload_test.cpp
    tests/scenario/policy_routing_test.cpp
    tests/scenario/reassembled_test.cpp
    tests/scenario/timeout_policies_test.cpp
    tests/unit/conntrack/event_cache_test.cpp
    tests/unit/conntrack/table/table_expiry_test.cpp
    tests/unit/conntrack/table/table_victim_test.cpp
    tests/unit/conntrack/trackers/datagram_test.cpp
    tests/unit/conntrack/trackers/tcp_window_test.cpp
    tests/unit/nat/icmp_inner_test.cpp
    tests/unit/nat/mappings_test.cpp
    tests/unit/nat/nat_test.cpp
    tests/unit/nat/personality_test.cpp
    tests/unit/packet/ipv4_options_test.cpp
    tests/unit/packet/offload_test.cpp
    tests/unit/procfs/sysctl_effects_test.cpp
    tests/unit/procfs/sysctl_test.cpp
    tests/unit/procfs/tree_test.cpp
    tests/unit/router/capture/pcapng_test.cpp
    tests/unit/router/config/config_test.cpp
    tests/unit/router/http/session_test.cpp
    tests/unit/router/import/import_test.cpp
    tests/unit/router/observe/filter_test.cpp
    tests/unit/router/observe/why_test.cpp
    tests/unit/router/ports/engine_test.cpp
    tests/unit/router/replay/replay_test.cpp
    tests/unit/router/tools/conntrack_pass_test.cpp
    tests/unit/router/tools/ip_command_test.cpp
    tests/unit/router/tools/ip_policy_test.cpp
    tests/unit/router/tools/nfct_test.cpp
    tests/unit/router/tools/saved_table_test.cpp
    tests/unit/router/tools/top_test.cpp
    tests/unit/router/topology/plan_test.cpp
    tests/unit/routing/policy_routing_test.cpp
    tests/unit/routing/policy_rule_test.cpp
    tests/unit/routing/prefix_index_test.cpp
    tests/unit/routing/route_table_test.cpp
    tests/unit/rules/language/tool_test.cpp
    tests/unit/rules/matches/every_match_test.cpp
    tests/unit/rules/matches/extension_rows.cpp
    tests/unit/rules/matches/header_rows.cpp
    tests/unit/rules/matches/matches_test.cpp
    tests/unit/rules/matches/set_rows.cpp
    tests/unit/rules/program/index_test.cpp
    tests/unit/rules/program/succession_test.cpp
    tests/unit/rules/program/weapons_test.cpp
    tests/unit/rules/targets/every_target_test.cpp
    tests/unit/rules/targets/extension_target_rows.cpp
    tests/unit/rules/targets/targets_test.cpp)

function(nsr_unity target)
    if(NOT NSR_UNITY)
        return()
    endif()
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 12)
    get_target_property(sources ${target} SOURCES)
    foreach(source ${sources})
        cmake_path(ABSOLUTE_PATH source OUTPUT_VARIABLE path)
        cmake_path(RELATIVE_PATH path BASE_DIRECTORY ${CMAKE_SOURCE_DIR})
        if(path IN_LIST NSR_ALONE)
            set_source_files_properties(${source} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
        endif()
    endforeach()
endfunction()
