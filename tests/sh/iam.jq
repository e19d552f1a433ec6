# SPDX-License-Identifier: Apache-2.0
# What IAM would say of a request (IAM User Guide, "Policy evaluation logic"), for one document. The request is
# {who, action, resource, context}; `who` is an ARN. Whatever a document has that is not known here is an error, so that
# nothing is passed over.
#
#     jq -r -L tests/sh --argjson request '{...}' 'include "iam"; decide($request)' policy.json

def list: if type == "array" then . else [.] end;

def like($pattern):
	. as $text
	| ($pattern | gsub("(?<c>[.+^$(){}|\\[\\]\\\\])"; "\\\(.c)") | gsub("\\*"; ".*") | gsub("\\?"; ".")) as $regex
	| $text | test("^" + $regex + "$"; "i");

def like_one_of($patterns): . as $text | any($patterns | list | .[]; . as $p | $text | like($p));

# A negated operator holds when the key is not there; the others do not.
def holds($operator; $values; $got):
	if $operator == "StringEquals" then $got != null and any($values[]; . == $got)
	elif $operator == "StringEqualsIgnoreCase" then
		$got != null and any($values[]; ascii_downcase == ($got | ascii_downcase))
	elif $operator == "StringNotEqualsIgnoreCase" then
		$got == null or all($values[]; ascii_downcase != ($got | ascii_downcase))
	elif $operator == "Null" then $values == [($got == null) | tostring]
	elif $operator == "Bool" then $got != null and $values == [$got | tostring]
	else error("operator \($operator)")
	end;

# All operators, and all keys of each, must hold.
def conditions_hold($context):
	all(to_entries[]; .key as $operator
		| all(.value | to_entries[]; holds($operator; .value | list; $context[.key])));

# An account stands for everybody in it whom its own IAM lets.
def principal_is($who):
	if (keys - ["AWS", "Service"]) != [] then error("principal \(.)") else . end
	| any([.AWS // empty, .Service // empty] | flatten[]; . as $p | $who as $w
		| $p == "*" or $p == $w or (($p | endswith(":root")) and ($w | startswith($p | rtrimstr("root")))));

def known: ["Sid", "Effect", "Principal", "Action", "Resource", "Condition"];

def applies($request):
	if (keys - known) != [] then error("statement \(keys - known)") else . end
	| (if has("Principal") then .Principal | principal_is($request.who) else true end)
	and (.Action as $actions | $request.action | like_one_of($actions))
	and (if has("Resource") then .Resource as $r | ($request.resource // "*") | like_one_of($r) else true end)
	and (.Condition // {} | conditions_hold($request.context // {}));

def decide($request):
	if .Version != "2012-10-17" then error("version \(.Version)") else . end
	| [.Statement[] | select(applies($request)) | .Effect]
	| if any(. == "Deny") then "denied" elif any(. == "Allow") then "allowed" else "not allowed" end;
