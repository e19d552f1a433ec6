# SPDX-License-Identifier: Apache-2.0
"""The rehearsal server driven by botocore; TAP. Arguments: its URL, the program, its directory."""
import base64, hashlib, http.client, json, os, subprocess, sys, time, urllib.error, urllib.request
import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError

url, program, data = sys.argv[1:4]
key, secret = os.environ['AWS_ACCESS_KEY_ID'], os.environ['AWS_SECRET_ACCESS_KEY']
BLOCK = 524288
count = failed = 0


def ok(good, about, why=''):
    global count, failed
    count += 1
    failed += not good
    print(f'{"" if good else "not "}ok {count} - {about}')
    if not good and why:
        print('#', str(why).replace('\n', '\n# '))
    sys.stdout.flush()


def same(got, expected, about):
    ok(got == expected, about, f'got {got!r}, expected {expected!r}')


def client(service, region='us-east-1', attempts=0, credentials=None, timeout=10):
    k, s, t = credentials or (key, secret, None)
    return botocore.session.Session().create_client(
        service, region_name=region, endpoint_url=url, aws_access_key_id=k, aws_secret_access_key=s, aws_session_token=t,
        config=Config(retries={'max_attempts': attempts}, read_timeout=timeout, connect_timeout=5))


def refused(code, about, call, **arguments):
    """The call must end with the error of that code; gives the error."""
    try:
        call(**arguments)
    except ClientError as e:
        same(e.response['Error']['Code'], code, about)
        return e.response
    except BotoCoreError as e:
        ok(False, about, e)
    else:
        ok(False, about, f'no error, but {code} was expected')
    return {}


def broken(about, call, **arguments):
    """The call must end without an answer."""
    try:
        call(**arguments)
    except BotoCoreError:
        ok(True, about)
    except ClientError as e:
        ok(False, about, e)
    else:
        ok(False, about, 'there was an answer')


def control(path, body=None, method=None):
    request = urllib.request.Request(url + '/_rehearsal/' + path, json.dumps(body).encode() if body is not None else None,
                                     method=method)
    return json.load(urllib.request.urlopen(request))


def faults(*list_):
    control('faults', method='DELETE')
    if list_:
        control('faults', {'faults': list_})


def hits():
    return [f['hit'] for f in control('faults')['faults']]


def sha(block):
    return base64.b64encode(hashlib.sha256(block).digest()).decode()


def linear(blocks):
    return sha(b''.join(hashlib.sha256(blocks[i]).digest() for i in sorted(blocks)))


def put(snapshot, index, block, to=None, **changed):
    arguments = {'SnapshotId': snapshot, 'BlockIndex': index, 'BlockData': block, 'DataLength': BLOCK,
                 'Checksum': sha(block), 'ChecksumAlgorithm': 'SHA256', **changed}
    return (to or ebs).put_snapshot_block(**arguments)


def complete(snapshot, blocks, **changed):
    arguments = {'SnapshotId': snapshot, 'ChangedBlocksCount': len(blocks), 'Checksum': linear(blocks),
                 'ChecksumAlgorithm': 'SHA256', 'ChecksumAggregationMethod': 'LINEAR', **changed}
    return ebs.complete_snapshot(**arguments)


def upload(blocks, **start):
    snapshot = ebs.start_snapshot(VolumeSize=1, **start)['SnapshotId']
    for index, block in blocks.items():
        put(snapshot, index, block)
    complete(snapshot, blocks)
    return snapshot


def export(snapshot):
    path = snapshot + '.raw'
    subprocess.run([program, 'export', snapshot, path, '--data', data], check=True)
    return path


def read_back(path, expected):
    """Whether the file has these blocks, and zeros everywhere else."""
    zero = bytes(BLOCK)
    with open(path, 'rb') as f:
        for index in range(2048):
            if f.read(BLOCK) != expected.get(index, zero):
                return False
        return not f.read(1)


def block(letter):
    return letter.encode() * BLOCK


ebs, ec2, sts, cfn = client('ebs'), client('ec2'), client('sts'), client('cloudformation')

# ---- who signs
refused('SignatureDoesNotMatch', 'EC2: another secret', client('ec2', credentials=(key, 'x', None)).describe_images)
refused('AuthFailure', 'EC2: a key of nobody', client('ec2', credentials=('AKIAX', 'x', None)).describe_images)
refused('InvalidSignatureException', 'EBS: another secret', client('ebs', credentials=(key, 'x', None)).start_snapshot,
        VolumeSize=1)
refused('UnrecognizedClientException', 'EBS: a key of nobody', client('ebs', credentials=('AKIAX', 'x', None)).start_snapshot,
        VolumeSize=1)
refused('UnrecognizedClientException', 'EBS: a session token that does not belong to the key',
        client('ebs', credentials=(key, secret, 'token')).start_snapshot, VolumeSize=1)


def unsigned_payload(change=None):
    """A block signed as for HTTPS, where botocore leaves the body out; sent by urllib."""
    snapshot = ebs.start_snapshot(VolumeSize=1)['SnapshotId']
    content = block('u')
    headers = {'Content-Type': 'application/octet-stream', 'x-amz-Data-Length': str(BLOCK), 'x-amz-Checksum': sha(content),
               'x-amz-Checksum-Algorithm': 'SHA256'}
    request = AWSRequest('PUT', f'{url}/snapshots/{snapshot}/blocks/3'.replace('http:', 'https:'), headers, content)
    request.context['payload_signing_enabled'] = False
    SigV4Auth(Credentials(key, secret), 'ebs', 'us-east-1').add_auth(request)
    headers = {**dict(request.headers.items()), 'Host': url[7:], **(change or {})}
    sent = urllib.request.Request(request.url.replace('https:', 'http:'), content, headers, method='PUT')
    try:
        return urllib.request.urlopen(sent).status, headers
    except urllib.error.HTTPError as e:
        return e.code, headers


status, headers = unsigned_payload()
same((status, headers.get('X-Amz-Content-SHA256')), (201, 'UNSIGNED-PAYLOAD'), 'a block whose body is not signed')
same(unsigned_payload({'x-amz-Data-Length': '1'})[0], 403, 'but whose length is')
same(unsigned_payload({'x-amz-meta': 'x'})[0], 403, 'an x-amz header that is not signed')

proxied = botocore.session.Session().create_client(
    'sts', region_name='us-east-1', endpoint_url='http://sts.rehearsal.test', aws_access_key_id=key,
    aws_secret_access_key=secret, config=Config(proxies={'http': url}, retries={'max_attempts': 0}))
same(proxied.get_caller_identity()['Account'], '123456789012', 'a client that takes the server for its proxy')

# ---- a snapshot
first = {0: block('a'), 3: block('b'), 2047: block('c')}
snapshot = ebs.start_snapshot(VolumeSize=1, Description='first', ClientToken='token-1')['SnapshotId']
same(ebs.start_snapshot(VolumeSize=1, Description='first', ClientToken='token-1')['SnapshotId'], snapshot,
     'the same token with the same parameters is the same snapshot')
refused('ConflictException', 'and with others a conflict', ebs.start_snapshot, VolumeSize=2, Description='first',
        ClientToken='token-1')
refused('ValidationException', 'a volume of 0 GiB', client('ebs').start_snapshot, VolumeSize=70000)
refused('ValidationException', 'a parent and encryption', ebs.start_snapshot, VolumeSize=1, Encrypted=True,
        ParentSnapshotId=snapshot)
refused('ResourceNotFoundException', 'a parent that is not there', ebs.start_snapshot, VolumeSize=1,
        ParentSnapshotId='snap-00000000000000000')
answer = put(snapshot, 0, first[0])
same(answer['Checksum'], sha(first[0]), 'a block is confirmed with its checksum')
for about, reason, changed in [
        ('another block\'s checksum', 'INVALID_BLOCK', {'Checksum': sha(block('y'))}),
        ('a checksum that is none', 'INVALID_PARAMETER_VALUE', {'Checksum': 'abc='}),
        ('a length that is not 512 KiB', 'INVALID_PARAMETER_VALUE', {'DataLength': 1000}),
        ('a body that is shorter', 'INVALID_BLOCK', {'BlockData': b'short'}),
        ('a block beyond the volume', 'INVALID_PARAMETER_VALUE', {'BlockIndex': 2048})]:
    response = refused('ValidationException', about, put, snapshot=snapshot, index=1, block=block('x'), **changed)
    same(response.get('Reason'), reason, 'has its reason')
refused('ResourceNotFoundException', 'a block for no snapshot', put, snapshot='snap-00000000000000000', index=0,
        block=first[0])
put(snapshot, 3, block('w'))
put(snapshot, 3, first[3])
put(snapshot, 2047, first[2047])
refused('ValidationException', 'completion with too few blocks', complete, snapshot=snapshot, blocks=first,
        ChangedBlocksCount=2)
refused('ValidationException', 'completion with another aggregate', complete, snapshot=snapshot, blocks=first,
        Checksum=sha(b''))
refused('ValidationException', 'completion by another method', client('ebs').complete_snapshot, SnapshotId=snapshot,
        ChangedBlocksCount=3, Checksum=linear(first), ChecksumAlgorithm='SHA256')
refused('ValidationException', 'reading before completion', ebs.list_snapshot_blocks, SnapshotId=snapshot)
same(complete(snapshot, first)['Status'], 'pending', 'completion')
same(complete(snapshot, first)['Status'], 'pending', 'once more, for an answer may be lost')
refused('ValidationException', 'a block after it', put, snapshot=snapshot, index=1, block=block('x'))
ok(read_back(export(snapshot), first), 'what is read back is what was put, the last of two for one place')
with open(f'{data}/blocks/{snapshot}/writes', 'rb') as f:
    writes = f.read()
same({i: n for i, n in enumerate(writes) if n}, {0: 1, 3: 2, 2047: 1}, 'and how often')

# ---- lineage
second = {3: block('d'), 5: bytes(BLOCK)}
child = upload(second, ParentSnapshotId=snapshot)
whole = {**first, **second}
ok(read_back(export(child), whole), 'a child has its parent\'s blocks under its own')
listed = ebs.list_snapshot_blocks(SnapshotId=child)
same([b['BlockIndex'] for b in listed['Blocks']], [0, 3, 5, 2047], 'all are listed')
got = [ebs.get_snapshot_block(SnapshotId=child, **b) for b in listed['Blocks']]
ok(all(g['BlockData'].read() == whole[b['BlockIndex']] and g['Checksum'] == sha(whole[b['BlockIndex']])
       for g, b in zip(got, listed['Blocks'])), 'and read')
refused('ValidationException', 'not with another block\'s token', ebs.get_snapshot_block, SnapshotId=child, BlockIndex=0,
        BlockToken=listed['Blocks'][1]['BlockToken'])
changed = ebs.list_changed_blocks(FirstSnapshotId=snapshot, SecondSnapshotId=child)['ChangedBlocks']
same([(b['BlockIndex'], 'FirstBlockToken' in b, 'SecondBlockToken' in b) for b in changed],
     [(3, True, True), (5, False, True)], 'what changed since the parent')
other = upload({1: block('o')})
same(refused('ValidationException', 'what changed since a stranger', ebs.list_changed_blocks, FirstSnapshotId=other,
             SecondSnapshotId=child).get('Reason'), 'UNRELATED_SNAPSHOTS', 'has its reason')
control('settings', {'page_size': 1})
token, indexes, empty = None, [], 0
while True:
    page = ebs.list_snapshot_blocks(SnapshotId=child, **({'NextToken': token} if token else {}))
    indexes += [b['BlockIndex'] for b in page['Blocks']]
    empty += not page['Blocks']
    token = page.get('NextToken')
    if not token:
        break
same((indexes, empty), ([0, 3, 5, 2047], 1), 'small pages give the same list, after an empty one')
same(len(list(ec2.get_paginator('describe_snapshots').paginate(OwnerIds=['self']))) >= 3, True, 'EC2\'s lists likewise')
control('settings', {'page_size': 0})
ec2.delete_snapshot(SnapshotId=snapshot)
refused('InvalidSnapshot.NotFound', 'a parent is gone once deleted', ec2.describe_snapshots, SnapshotIds=[snapshot])
os.unlink(child + '.raw')
ok(read_back(export(child), whole), 'and its child has all its blocks still')
grandchild = upload({7: block('g')}, ParentSnapshotId=child)
ok(read_back(export(grandchild), {**whole, 7: block('g')}), 'a third generation')

# ---- images
UEFI = {'Architecture': 'x86_64', 'VirtualizationType': 'hvm', 'BootMode': 'uefi', 'TpmSupport': 'v2.0',
        'ImdsSupport': 'v2.0', 'EnaSupport': True, 'RootDeviceName': '/dev/xvda'}


def device(**changed):
    return [{'DeviceName': '/dev/xvda', 'Ebs': {'SnapshotId': child, 'VolumeSize': 2, 'VolumeType': 'gp3',
                                                'DeleteOnTermination': True, **changed}}]


def register(name, **changed):
    arguments = {'Name': name, 'BlockDeviceMappings': device(), **UEFI, **changed}
    return ec2.register_image(**{k: v for k, v in arguments.items() if v is not None})


pending = ebs.start_snapshot(VolumeSize=1)['SnapshotId']
for about, code, changed in [
        ('a name that is too short', 'InvalidAMIName.Malformed', {'name': 'ab'}),
        ('a name with other characters', 'InvalidAMIName.Malformed', {'name': 'a:b:c'}),
        ('an architecture that there is not', 'InvalidParameterValue', {'Architecture': 'sparc'}),
        ('a TPM without UEFI', 'InvalidParameterCombination', {'BootMode': 'legacy-bios'}),
        ('a TPM with uefi-preferred', 'InvalidParameterCombination', {'BootMode': 'uefi-preferred'}),
        ('paravirtual, which is what silence means', 'InvalidParameterCombination', {'VirtualizationType': None}),
        ('i386, likewise', 'InvalidParameterCombination', {'Architecture': None}),
        ('UefiData that is none', 'InvalidParameterValue', {'UefiData': 'QUJD'}),
        ('UefiData that is too long', 'InvalidParameterValue', {'UefiData': 'A' * 64004}),
        ('no root device', 'InvalidBlockDeviceMapping', {'RootDeviceName': '/dev/sda1'}),
        ('a volume smaller than its snapshot', 'InvalidBlockDeviceMapping',
         {'BlockDeviceMappings': [{'DeviceName': '/dev/xvda', 'Ebs': {'SnapshotId': child, 'VolumeSize': 1,
                                                                      'VolumeType': 'st1'}}]}),
        ('an encrypted device of a snapshot', 'InvalidParameterDependency', {'BlockDeviceMappings': device(Encrypted=True)}),
        ('throughput of gp2', 'InvalidBlockDeviceMapping',
         {'BlockDeviceMappings': device(VolumeType='gp2', Throughput=250)}),
        ('a snapshot that is not there', 'InvalidSnapshot.NotFound',
         {'BlockDeviceMappings': device(SnapshotId='snap-00000000000000000')}),
        ('a snapshot that is pending', 'IncorrectState', {'BlockDeviceMappings': device(SnapshotId=pending)})]:
    refused(code, 'an image with ' + about, register, **{'name': 'refused', **changed})
image = register('first')['ImageId']
refused('InvalidAMIName.Duplicate', 'a name that is taken', register, name='first')
refused('DryRunOperation', 'a dry run', register, name='dry', DryRun=True)
shown = ec2.describe_images(ImageIds=[image])['Images'][0]
same({k: shown.get(k) for k in UEFI}, UEFI, 'the image shows what was asked for')
ebs_shown = shown['BlockDeviceMappings'][0]['Ebs']
same((ebs_shown['VolumeSize'], ebs_shown['VolumeType'], ebs_shown['DeleteOnTermination']), (2, 'gp3', True), 'its device too')
ec2.create_tags(Resources=[image, child], Tags=[{'Key': 'release', 'Value': '1 & <2>'}])
same([i['ImageId'] for i in ec2.describe_images(Owners=['self'], Filters=[{'Name': 'tag:release', 'Values': ['1*']}])['Images']],
     [image], 'it is found by its tag')
same(ec2.describe_images(ImageIds=[image])['Images'][0]['Tags'], [{'Key': 'release', 'Value': '1 & <2>'}],
     'which has its characters')
same(ec2.describe_images(Filters=[{'Name': 'name', 'Values': ['second']}])['Images'], [], 'and not by another name')
refused('InvalidParameterValue', 'a filter that there is not', ec2.describe_images, Filters=[{'Name': 'x', 'Values': ['y']}])
refused('InvalidAMIID.Malformed', 'an image id that is none', ec2.describe_images, ImageIds=['ami'])
refused('InvalidAMIID.NotFound', 'an image that is not there', ec2.describe_images, ImageIds=['ami-00000000000000000'])

# ---- sharing and copies
ec2.modify_image_attribute(ImageId=image, LaunchPermission={'Add': [
    {'UserId': '111111111111'}, {'OrganizationArn': 'arn:aws:organizations::111111111111:organization/o-123example'}]})
ec2.modify_image_attribute(ImageId=image, Attribute='launchPermission', OperationType='add', UserIds=['222222222222'])
ec2.modify_image_attribute(ImageId=image, LaunchPermission={'Remove': [{'UserId': '111111111111'}]})
same(ec2.describe_image_attribute(ImageId=image, Attribute='launchPermission')['LaunchPermissions'],
     [{'OrganizationArn': 'arn:aws:organizations::111111111111:organization/o-123example'}, {'UserId': '222222222222'}],
     'an image is shared, and no more')
refused('InvalidAMIAttributeItemValue', 'not with what is no account', ec2.modify_image_attribute, ImageId=image,
        LaunchPermission={'Add': [{'UserId': '12'}]})
ec2.modify_snapshot_attribute(SnapshotId=child, Attribute='createVolumePermission', OperationType='add',
                              UserIds=['222222222222'])
same(ec2.describe_snapshot_attribute(SnapshotId=child, Attribute='createVolumePermission')['CreateVolumePermissions'],
     [{'UserId': '222222222222'}], 'a snapshot is shared')
west = client('ec2', 'eu-west-1')
refused('InvalidAMIID.NotFound', 'regions are apart', west.describe_images, ImageIds=[image])
copy = west.copy_image(SourceImageId=image, SourceRegion='us-east-1', Name='first', ClientToken='copy-1')['ImageId']
same(west.copy_image(SourceImageId=image, SourceRegion='us-east-1', Name='first', ClientToken='copy-1')['ImageId'], copy,
     'a copy is made once for its token')
copied = west.describe_images(ImageIds=[copy])['Images'][0]
same({k: copied.get(k) for k in UEFI}, UEFI, 'and has what the image has')
ok(read_back(export(copied['BlockDeviceMappings'][0]['Ebs']['SnapshotId']), whole), 'and its blocks')
single = west.copy_snapshot(SourceSnapshotId=grandchild, SourceRegion='us-east-1', Description='copy', Encrypted=True)
same(west.describe_snapshots(SnapshotIds=[single['SnapshotId']])['Snapshots'][0]['Encrypted'], True, 'an encrypted copy')
refused('InvalidSnapshot.InUse', 'a snapshot with an image stays', ec2.delete_snapshot, SnapshotId=child)
ec2.deregister_image(ImageId=image)
refused('InvalidAMIID.NotFound', 'an image that was deregistered', ec2.deregister_image, ImageId=image)
ec2.delete_snapshot(SnapshotId=child)
image = register('first', BlockDeviceMappings=device(SnapshotId=grandchild))['ImageId']
ok(image, 'its name is free again')

# ---- sessions
session = sts.assume_role(RoleArn='arn:aws:iam::123456789012:role/uploader', RoleSessionName='test')
credentials = tuple(session['Credentials'][k] for k in ('AccessKeyId', 'SecretAccessKey', 'SessionToken'))
same(client('sts', credentials=credentials).get_caller_identity()['Arn'],
     'arn:aws:sts::123456789012:assumed-role/uploader/test', 'a session signs')
refused('AuthFailure', 'not without its token', client('ec2', credentials=(*credentials[:2], None)).describe_images)
refused('ValidationError', 'a role that is none', sts.assume_role, RoleArn='arn:aws:iam::123456789012:user/uploader',
        RoleSessionName='test')
control('settings', {'session_seconds': 1})
session = sts.assume_role(RoleArn='arn:aws:iam::123456789012:role/uploader', RoleSessionName='test')
short = tuple(session['Credentials'][k] for k in ('AccessKeyId', 'SecretAccessKey', 'SessionToken'))
time.sleep(2.1)
refused('RequestExpired', 'EC2: a session that is over', client('ec2', credentials=short).describe_images)
refused('ExpiredTokenException', 'EBS: likewise', client('ebs', credentials=short).start_snapshot, VolumeSize=1)
refused('ExpiredToken', 'STS: likewise', client('sts', credentials=short).get_caller_identity)
control('settings', {'session_seconds': 3600})


def chain(**environment):
    """Who signs with what botocore's own chain of providers finds."""
    for name in ('AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'):
        os.environ.pop(name, None)
    os.environ.update(environment)
    try:
        return botocore.session.Session().create_client('sts', region_name='us-east-1', endpoint_url=url) \
            .get_caller_identity()['Arn']
    except (BotoCoreError, ClientError) as e:
        return str(e)
    finally:
        for name in environment:
            os.environ.pop(name)
        os.environ.update(AWS_ACCESS_KEY_ID=key, AWS_SECRET_ACCESS_KEY=secret)


same(chain(AWS_EC2_METADATA_SERVICE_ENDPOINT=url), 'arn:aws:sts::123456789012:assumed-role/rehearsal-role/rehearsal',
     'instance metadata')
same(chain(AWS_CONTAINER_CREDENTIALS_FULL_URI=url + '/container/credentials',
           AWS_CONTAINER_AUTHORIZATION_TOKEN='rehearsal-container'),
     'arn:aws:sts::123456789012:assumed-role/container-role/rehearsal', 'a container')
ok('arn' not in chain(AWS_CONTAINER_CREDENTIALS_FULL_URI=url + '/container/credentials',
                      AWS_CONTAINER_AUTHORIZATION_TOKEN='other', AWS_EC2_METADATA_DISABLED='true'),
   'a container with another token')
portal = urllib.request.Request(url + '/federation/credentials?role_name=admin&account_id=123456789012',
                                headers={'x-amz-sso_bearer_token': 'rehearsal-sso'})
sso = json.load(urllib.request.urlopen(portal))['roleCredentials']
same(client('sts', credentials=(sso['accessKeyId'], sso['secretAccessKey'], sso['sessionToken'])).get_caller_identity()['Arn'],
     'arn:aws:sts::123456789012:assumed-role/admin/rehearsal', 'the SSO portal')
web = client('sts').assume_role_with_web_identity(RoleArn='arn:aws:iam::123456789012:role/web', RoleSessionName='web',
                                                  WebIdentityToken='rehearsal-web-identity')
ok(web['Credentials']['SessionToken'], 'a web identity, which nobody signs')
refused('InvalidIdentityToken', 'another one', sts.assume_role_with_web_identity,
        RoleArn='arn:aws:iam::123456789012:role/web', RoleSessionName='web', WebIdentityToken='x' * 10)

# ---- the clock
control('settings', {'clock_ahead': 3600})
ok('Signature expired' in str(refused('InvalidSignatureException', 'EBS: a clock that is an hour ahead', ebs.start_snapshot,
                                      VolumeSize=1)), 'says so')
refused('RequestExpired', 'EC2: likewise', ec2.describe_images)
control('settings', {'clock_ahead': 0, 'clock_behind': 3600})
ok('not yet current' in str(refused('SignatureDoesNotMatch', 'STS: an hour behind', sts.get_caller_identity)), 'says so')
control('settings', {'clock_behind': 0})

# ---- faults
snapshot = ebs.start_snapshot(VolumeSize=1)['SnapshotId']
content = block('f')
refusals = [('throttle', 'RequestThrottledException', 'RequestLimitExceeded', 'Throttling'),
            ('internal-error', 'InternalServerException', 'InternalError', 'InternalFailure'),
            ('access-denied', 'AccessDeniedException', 'UnauthorizedOperation', 'AccessDenied'),
            ('expired-token', 'ExpiredTokenException', 'RequestExpired', 'ExpiredToken')]
for name, of_ebs, of_ec2, of_sts in refusals:
    faults({'fault': name, 'times': 0})
    refused(of_ebs, 'EBS: ' + name, put, snapshot=snapshot, index=0, block=content)
    denied = refused(of_ec2, 'EC2: ' + name, ec2.describe_images)
    refused(of_sts, 'STS: ' + name, sts.get_caller_identity)
    if name == 'access-denied':
        ok('ec2:DescribeImages' in str(denied), 'names the action')
faults({'fault': 'unavailable'})
try:
    ec2.describe_images()
    ok(False, 'a load balancer\'s page', 'there was an answer')
except (ClientError, BotoCoreError):
    ok(True, 'a load balancer\'s page')
faults({'fault': 'throttle', 'operation': 'PutSnapshotBlock', 'after': 1, 'every': 2, 'times': 2})
outcome = ''
for i in range(6):
    try:
        put(snapshot, i, content)
        outcome += '.'
    except ClientError:
        outcome += 'x'
same(outcome, '.x.x..', 'after, every and times')
faults({'fault': 'throttle', 'operation': 'PutSnapshotBlock', 'times': 2})
put(snapshot, 9, content, to=client('ebs', attempts=5))
same(hits(), [2], 'botocore tries a throttled block again')
faults({'fault': 'rate', 'operation': 'DescribeImages', 'per_second': 3, 'times': 0})
outcome, begun = [], int(time.time())
for i in range(12):
    try:
        ec2.describe_images()
        outcome.append(True)
    except ClientError:
        outcome.append(False)
ok(False in outcome and sum(outcome) <= 3 * (int(time.time()) - begun + 1), 'so many a second and no more', outcome)
faults({'fault': 'concurrency', 'operation': 'PutSnapshotBlock', 'limit': 0, 'times': 0})
refused('RequestThrottledException', 'none at all at a time', put, snapshot=snapshot, index=0, block=content)
faults({'fault': 'error', 'operation': 'StartSnapshot', 'status': 402, 'code': 'ServiceQuotaExceededException',
        'message': 'too much'})
refused('ServiceQuotaExceededException', 'any error', ebs.start_snapshot, VolumeSize=1)
faults({'fault': 'not-found', 'operation': 'PutSnapshotBlock', 'ms': 1500, 'times': 0})
young = ebs.start_snapshot(VolumeSize=1)['SnapshotId']
refused('ResourceNotFoundException', 'a snapshot that is too young', put, snapshot=young, index=0, block=content)
time.sleep(1.6)
ok(put(young, 0, content), 'is there a little later')
faults({'fault': 'lost-answer', 'operation': 'CompleteSnapshot'})
broken('an answer that is lost', complete, snapshot=young, blocks={0: content})
same(ec2.describe_snapshots(SnapshotIds=[young])['Snapshots'][0]['State'], 'completed', 'but it is done')
faults({'fault': 'cut-answer', 'operation': 'GetImdsToken', 'bytes': 5})
try:
    urllib.request.urlopen(urllib.request.Request(url + '/latest/api/token', method='PUT', headers={
        'x-aws-ec2-metadata-token-ttl-seconds': '60'})).read()
    ok(False, 'an answer that is cut', 'it came whole')
except http.client.IncompleteRead as e:
    same(len(e.partial), 5, 'an answer that is cut')
faults({'fault': 'cut-request', 'operation': 'PutSnapshotBlock', 'bytes': 100000})
broken('a request that is cut', put, snapshot=snapshot, index=100, block=content)
ok(not os.path.exists(f'{data}/blocks/{snapshot}/writes') or
   len(open(f'{data}/blocks/{snapshot}/writes', 'rb').read()) <= 100, 'leaves no block')
faults({'fault': 'stall', 'operation': 'DescribeImages'})
broken('no answer at all', client('ec2', timeout=1).describe_images)
faults({'fault': 'slow', 'operation': 'DescribeImages', 'ms': 700})
begun = time.time()
ec2.describe_images()
ok(0.7 <= time.time() - begun < 5, 'a slow answer', time.time() - begun)
faults({'fault': 'trickle', 'operation': 'GetCallerIdentity', 'bytes': 100, 'ms': 50})
begun = time.time()
sts.get_caller_identity()
ok(time.time() - begun > 0.2, 'an answer that trickles', time.time() - begun)
faults({'fault': 'wrong-checksum', 'operation': 'PutSnapshotBlock'})
ok(put(snapshot, 20, content)['Checksum'] != sha(content), 'a wrong checksum')
faults({'fault': 'drop-block', 'operation': 'PutSnapshotBlock'})
put(snapshot, 21, content)
refused('ValidationException', 'a block that was lost shows at completion', complete, snapshot=snapshot,
        blocks={i: content for i in (0, 2, 4, 5, 9, 20, 21)})
token = ebs.list_snapshot_blocks(SnapshotId=young)['Blocks'][0]['BlockToken']
faults({'fault': 'corrupt', 'operation': 'GetSnapshotBlock'})
got = ebs.get_snapshot_block(SnapshotId=young, BlockIndex=0, BlockToken=token)
ok(got['Checksum'] == sha(content) and got['BlockData'].read() != content, 'a block that is damaged on its way')
faults({'fault': 'pending', 'operation': 'DescribeSnapshots', 'times': 2},
       {'fault': 'pending', 'operation': 'DescribeImages', 'times': 1})
same([ec2.describe_snapshots(SnapshotIds=[young])['Snapshots'][0]['State'] for _ in range(3)],
     ['pending', 'pending', 'completed'], 'a snapshot that takes its time')
same([ec2.describe_images(ImageIds=[image])['Images'][0]['State'] for _ in range(2)], ['pending', 'available'],
     'an image likewise')
faults({'fault': 'failed', 'operation': 'CompleteSnapshot'}, {'fault': 'failed', 'operation': 'RegisterImage'})
ill = upload({0: content})
same(ec2.describe_snapshots(SnapshotIds=[ill])['Snapshots'][0]['State'], 'error', 'a snapshot that fails')
ill = register('ill', BlockDeviceMappings=device(SnapshotId=young))['ImageId']
same(ec2.describe_images(ImageIds=[ill])['Images'][0]['State'], 'failed', 'an image that fails')

# ---- stacks
faults()
TEMPLATE = {'Resources': {'Key': {'Type': 'AWS::KMS::Key'}, 'Role': {'Type': 'AWS::IAM::Role', 'Properties': {'RoleName': 'x'}}}}


def events(name):
    return [(e['LogicalResourceId'], e['ResourceStatus'])
            for e in reversed(cfn.describe_stack_events(StackName=name)['StackEvents'])]


def create(name, template, **more):
    return cfn.create_stack(StackName=name, TemplateBody=json.dumps(template), Capabilities=['CAPABILITY_NAMED_IAM'],
                            **more)['StackId']


refused('ValidationError', 'a template without resources', create, name='bad', template={'Resources': {}})
response = refused('ValidationError', 'a reference to nothing', create, name='bad', template={
    'Resources': {'A': {'Type': 'AWS::KMS::Key', 'Properties': {'Description': {'Ref': 'Nothing'}}}}})
ok('[Nothing]' in str(response), 'names it')
refused('ValidationError', 'a parameter that the template lacks', create, name='bad', template=TEMPLATE,
        Parameters=[{'ParameterKey': 'X', 'ParameterValue': '1'}])
stack = create('good', TEMPLATE)
refused('AlreadyExistsException', 'a second stack of that name', create, name='good', template=TEMPLATE)
seen = [len(events('good')) for _ in range(4)]
same(seen, [3, 5, 6, 6], 'events come bit by bit')
same(events('good'), [('good', 'CREATE_IN_PROGRESS'), ('Key', 'CREATE_IN_PROGRESS'), ('Key', 'CREATE_COMPLETE'),
                      ('Role', 'CREATE_IN_PROGRESS'), ('Role', 'CREATE_COMPLETE'), ('good', 'CREATE_COMPLETE')],
     'in their order')
same(cfn.describe_stacks(StackName=stack)['Stacks'][0]['StackStatus'], 'CREATE_COMPLETE', 'and the stack is complete')
cfn.delete_stack(StackName='good')
for _ in range(4):
    events(stack)
same(events(stack)[-1], ('good', 'DELETE_COMPLETE'), 'deletion is seen by the stack\'s id')
refused('ValidationError', 'its name is gone', cfn.describe_stacks, StackName='good')
faults({'fault': 'failed', 'operation': 'CreateStack'})
create('good', TEMPLATE)
for _ in range(6):
    events('good')
same(events('good')[-1], ('good', 'ROLLBACK_COMPLETE'), 'a stack that fails is rolled back')
ok(('Role', 'CREATE_FAILED') in events('good'), 'and says what failed')

print(f'1..{count}')
sys.exit(1 if failed else 0)
